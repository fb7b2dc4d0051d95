#!/bin/sh
# Claude Code 2.1.197 (npm, @anthropic-ai/claude-code) with Node.js 18 or newer, in print mode.
#
# A `PreToolUse` hook may answer `"continue": false`, which ends the turn. If the same answer also has
# `"permissionDecision": "deny"`, the call is denied, but `continue` and `stopReason` are dropped: the model reads the reason of
# the denial, and the turn continues. 2.1.332 takes both: the call does not run, and the turn ends.
#
# What it means here: the last step of `[stall]` answers both. With 2.1.197 the call is denied, and the agent continues.
set -eu
version=2.1.197
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix client "@anthropic-ai/claude-code@$version" > npm.log 2>&1

# A stand-in for the model: it answers the first question with one call of a tool, and every other one with a word.
cat > model.js << 'END'
const http = require("http"), fs = require("fs");
let asked = 0;
http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    if (request.method !== "POST" || request.url.split("?")[0] !== "/v1/messages") { response.writeHead(404); return response.end("{}"); }
    const body = JSON.parse(text);
    const turn = (body.tools || []).length > 0 ? ++asked : 0;
    fs.writeFileSync("asked", String(asked));
    const call = turn === 1;
    const block = call ? { type: "tool_use", id: "toolu_1", name: "Bash", input: {} } : { type: "text", text: "" };
    const part = call ? { type: "input_json_delta", partial_json: JSON.stringify({ command: "touch ran", description: "Touch" }) } : { type: "text_delta", text: "done" };
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: "msg_" + turn, type: "message", role: "assistant", model: body.model, content: [], stop_reason: null, stop_sequence: null, usage };
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of [
      { type: "message_start", message },
      { type: "content_block_start", index: 0, content_block: block },
      { type: "content_block_delta", index: 0, delta: part },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: call ? "tool_use" : "end_turn", stop_sequence: null }, usage },
      { type: "message_stop" },
    ]) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.end();
  });
}).listen(0, "127.0.0.1", function () { fs.writeFileSync("port", String(this.address().port)); });
END
node model.js &
server=$!
until [ -s port ]; do sleep 0.1; done

cat > answer.json << 'END'
{"continue": false, "stopReason": "stopped", "hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": "denied"}}
END
cat > settings.json << END
{"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "cat $folder/answer.json"}]}]}}
END
mkdir work home
cd work
code=0
env -i PATH="$PATH" HOME="$folder/home" ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat ../port)" ANTHROPIC_API_KEY=made-up \
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 \
  ../client/node_modules/.bin/claude -p --settings ../settings.json go > ../said 2>&1 < /dev/null || code=$?

seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }
seen "the version" "$(../client/node_modules/.bin/claude --version | cut -d' ' -f1)" "$version"
seen "the exit code" "$code" 0
seen "whether the call ran" "$(test -e ran && echo yes || echo no)" no
seen "how often the model was asked" "$(cat ../asked)" 2
seen "what was printed" "$(cat ../said)" done
echo "as seen: the call is denied, and the turn continues although the hook answered \"continue\": false"
