#!/bin/sh
# Copilot CLI 1.0.102 (npm, @github/copilot) with Node.js 22.23.3 (npm, node), in print mode.
#
# An event name in PascalCase selects the format that is compatible with VS Code, in which an answer is inside
# `hookSpecificOutput`. A denial there is taken: `PreToolUse` stops the call, and the model reads the reason. `additionalContext`
# there is dropped in silence: neither after `PostToolUse` nor after `SessionStart` does the model read it. The same text as a
# field at the top of the answer reaches the model for both events.
#
# What it means here: notes for Copilot CLI must be at the top of the answer, unlike those for Claude Code.
set -eu
version=1.0.102
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix client "@github/copilot@$version" node@22.23.3 > npm.log 2>&1

# A stand-in for the model: a question without a tool's result is answered with a command, one with a result with a word.
cat > model.js << 'END'
const http = require("http"), fs = require("fs");
http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    if (request.method !== "POST" || !request.url.endsWith("/chat/completions")) { response.writeHead(404); return response.end("{}"); }
    const body = JSON.parse(text);
    const results = body.messages.filter((message) => message.role === "tool");
    if (results.length > 0) fs.writeFileSync("read", JSON.stringify(body.messages));
    const call = (body.tools || []).length > 0 && results.length === 0;
    const input = JSON.stringify({ command: "echo x > ran", description: "Write" });
    const delta = { role: "assistant", content: call ? "" : "done" };
    if (call) delta.tool_calls = [{ index: 0, id: "call_1", type: "function", function: { name: "bash", arguments: input } }];
    const chunk = (delta, finish_reason) => ({ id: "chat_1", object: "chat.completion.chunk", created: 1, model: body.model, choices: [{ index: 0, delta, finish_reason }] });
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of [chunk(delta, null), chunk({}, call ? "tool_calls" : "stop")]) response.write(`data: ${JSON.stringify(part)}\n\n`);
    response.end("data: [DONE]\n\n");
  });
}).listen(0, "127.0.0.1", function () { fs.writeFileSync("port", String(this.address().port)); });
END
node model.js &
server=$!
until [ -s port ]; do sleep 0.1; done
# run EVENT ANSWER: a run with one hook that gives the answer.
run() {
  rm -rf work home read
  mkdir -p work home/.copilot/hooks
  echo "$2" > answer.json
  echo "{\"version\": 1, \"hooks\": {\"$1\": [{\"type\": \"command\", \"bash\": \"cat $folder/answer.json\"}]}}" > home/.copilot/hooks/own.json
  # The proxy does not exist: only the stand-in can be reached.
  (cd work && env -i PATH="$folder/client/node_modules/node/bin:$PATH" HOME="$folder/home" COPILOT_HOME="$folder/home/.copilot" \
    COPILOT_PROVIDER_BASE_URL="http://127.0.0.1:$(cat ../port)/v1" COPILOT_PROVIDER_API_KEY=made-up COPILOT_MODEL=gpt-4.1 \
    COPILOT_OFFLINE=true COPILOT_AUTO_UPDATE=false HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
    ../client/node_modules/.bin/copilot --allow-all-tools --no-color -p go > ../said 2>&1 < /dev/null)
}
read_by_model() { grep -q "a word of the hook" read && echo yes || echo no; }
ran() { test -e work/ran && echo yes || echo no; }
seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }

run PreToolUse '{"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": "a word of the hook"}}'
seen "the version" "$(PATH="$folder/client/node_modules/node/bin:$PATH" HOME="$folder/home" client/node_modules/.bin/copilot --version | head -1)" "GitHub Copilot CLI $version."
seen "whether a denied call ran" "$(ran)" no
seen "whether the model read the reason of a denial inside hookSpecificOutput" "$(read_by_model)" yes
for event in PostToolUse SessionStart; do
  run "$event" "{\"hookSpecificOutput\": {\"hookEventName\": \"$event\", \"additionalContext\": \"a word of the hook\"}}"
  seen "whether the call ran" "$(ran)" yes
  seen "whether the model read the context of $event inside hookSpecificOutput" "$(read_by_model)" no
  run "$event" '{"additionalContext": "a word of the hook"}'
  seen "whether the call ran" "$(ran)" yes
  seen "whether the model read the context of $event at the top" "$(read_by_model)" yes
done
echo "as seen: a denial is read inside hookSpecificOutput, and additionalContext at the top alone"
