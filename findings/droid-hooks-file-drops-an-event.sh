#!/bin/sh
# droid 0.215.0 (npm, droid) with Node.js 18 or newer, as `droid exec`.
#
# Hooks may be in `~/.factory/hooks.json`, or under `hooks` in `~/.factory/settings.json`. The documentation says that the second
# place is read if the first file is absent. Seen is neither this nor a union, but a choice for each event: if both files name
# `PreToolUse`, the entry of settings.json is never started, and nothing says so. The entry for `PostToolUse`, which settings.json
# alone has, is started although hooks.json is there.
#
# What it means here: a correct entry in settings.json can be without effect, because of a second file that names its event.
set -eu
version=0.215.0
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix client "droid@$version" > npm.log 2>&1

# A stand-in for the model: a question without a tool's result is answered with a command, one with a result with a word.
cat > model.js << 'END'
const http = require("http"), fs = require("fs");
http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    if (request.method !== "POST" || !request.url.endsWith("/chat/completions")) { response.writeHead(404); return response.end("{}"); }
    const body = JSON.parse(text);
    const call = (body.tools || []).length > 0 && !body.messages.some((message) => message.role === "tool");
    const input = JSON.stringify({ command: "echo x >> ran", summary: "Write", riskLevel: "low", riskLevelReason: "none" });
    const delta = { role: "assistant", content: call ? "" : "done" };
    if (call) delta.tool_calls = [{ index: 0, id: "call_1", type: "function", function: { name: "Execute", arguments: input } }];
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

cat > hook.sh << END
#!/bin/sh
cat > /dev/null
echo "\$*" >> "$folder/events"
END
chmod +x hook.sh
entry() { echo "\"$1\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"$folder/hook.sh $1 $2\"}]}]"; }
mkdir -p work home/.factory
cat > home/.factory/settings.json << END
{"customModels": [{"model": "made-up", "displayName": "made-up", "baseUrl": "http://127.0.0.1:$(cat port)/v1", "apiKey": "made-up",
  "provider": "generic-chat-completion-api", "maxOutputTokens": 8000}],
 "hooks": {$(entry PreToolUse settings), $(entry PostToolUse settings)}}
END

cd work
# The proxy does not exist: only the stand-in can be reached.
run() {
  rm -f ../events
  env -i PATH="$PATH" HOME="$folder/home" FACTORY_API_KEY=fk-made-up FACTORY_DROID_AUTO_UPDATE_ENABLED=false FACTORY_TELEMETRY_ENABLED=false \
    HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
    ../client/node_modules/.bin/droid exec --skip-permissions-unsafe -m custom:made-up-0 go > ../said 2>&1 < /dev/null
}
seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }
seen "the version" "$(../client/node_modules/.bin/droid --version)" "$version"
run
seen "what is started with settings.json alone" "$(paste -sd, ../events)" "PreToolUse settings,PostToolUse settings"
echo "{$(entry PreToolUse hooks)}" > ../home/.factory/hooks.json
run
seen "what is started with both files" "$(paste -sd, ../events)" "PreToolUse hooks,PostToolUse settings"
seen "what was printed" "$(cat ../said)" done
seen "how often the command ran" "$(wc -l < ran | tr -d ' ')" 2
echo "as seen: hooks.json takes PreToolUse from settings.json, and leaves PostToolUse"
