#!/bin/sh
# droid 0.215.0 (npm, droid) with Node.js 18 or newer, as `droid exec`.
#
# The guide to hooks says of `PostToolUse` that it runs after tool calls complete. After a command that exits with 0 it does.
# After a command that exits with 3 it does not run, and no other event takes its place: `Notification` and `PostToolUseFailure`,
# which other clients have, were tried too. `PreToolUse` came before both, and the model reads the output and the exit code.
#
# What it means here: a check that failed leaves no trace with the hooks, so for droid a gate sees successes alone.
set -eu
version=0.215.0
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix client "droid@$version" > npm.log 2>&1

# A stand-in for the model: one command that succeeds, one that fails, then a word. What it read last is kept.
cat > model.js << 'END'
const http = require("http"), fs = require("fs");
const commands = ["echo good > good; echo went well", "echo bad > bad; echo went wrong; exit 3"];
http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    if (request.method !== "POST" || !request.url.endsWith("/chat/completions")) { response.writeHead(404); return response.end("{}"); }
    const body = JSON.parse(text);
    const command = (body.tools || []).length > 0 ? commands.shift() : undefined;
    const read = body.messages.filter((message) => message.role === "tool");
    if (read.length > 0) fs.writeFileSync("read", JSON.stringify(read.pop().content));
    const input = JSON.stringify({ command, summary: "Write", riskLevel: "low", riskLevelReason: "none" });
    const call = { index: 0, id: "call_" + commands.length, type: "function", function: { name: "Execute", arguments: input } };
    const delta = command ? { role: "assistant", tool_calls: [call] } : { role: "assistant", content: "done" };
    const chunk = (delta, finish_reason) => ({ id: "chat_1", object: "chat.completion.chunk", created: 1, model: body.model, choices: [{ index: 0, delta, finish_reason }] });
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of [chunk(delta, null), chunk({}, command ? "tool_calls" : "stop")]) response.write(`data: ${JSON.stringify(part)}\n\n`);
    response.end("data: [DONE]\n\n");
  });
}).listen(0, "127.0.0.1", function () { fs.writeFileSync("port", String(this.address().port)); });
END
node model.js &
server=$!
until [ -s port ]; do sleep 0.1; done

mkdir -p work home/.factory
cat > hook.sh << END
#!/bin/sh
cat > /dev/null
echo "\$1" >> "$folder/events"
END
chmod +x hook.sh
entries=
for event in PreToolUse PostToolUse PostToolUseFailure Notification Stop; do
  entries="$entries${entries:+, }\"$event\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"$folder/hook.sh $event\"}]}]"
done
cat > home/.factory/settings.json << END
{"customModels": [{"model": "made-up", "displayName": "made-up", "baseUrl": "http://127.0.0.1:$(cat port)/v1", "apiKey": "made-up",
  "provider": "generic-chat-completion-api", "maxOutputTokens": 8000}], "hooks": {$entries}}
END
cd work
code=0
# The proxy does not exist: only the stand-in can be reached.
env -i PATH="$PATH" HOME="$folder/home" FACTORY_API_KEY=fk-made-up FACTORY_DROID_AUTO_UPDATE_ENABLED=false FACTORY_TELEMETRY_ENABLED=false \
  HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
  ../client/node_modules/.bin/droid exec --skip-permissions-unsafe -m custom:made-up-0 go > ../said 2>&1 < /dev/null || code=$?

seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }
seen "the version" "$(../client/node_modules/.bin/droid --version)" "$version"
seen "the exit code" "$code" 0
seen "the files" "$(ls | tr '\n' ' ')" "bad good "
seen "whether the model read the failure" "$(grep -c 'exit code: 3.*went wrong' ../read)" 1
seen "the events" "$(tr '\n' ' ' < ../events)" "PreToolUse PostToolUse PreToolUse Stop "
echo "as seen: no event follows a command that failed"
