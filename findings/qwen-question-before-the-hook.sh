#!/bin/sh
# Qwen Code 0.24.4 (npm, @qwen-code/qwen-code) with Node.js 22.23.3 (npm, node), in the approval mode `default`.
#
# The documentation in the package says that a `PreToolUse` hook which answers "allow" runs the tool without the usual approval
# prompt. Seen with an editor that speaks the Agent Client Protocol (`qwen --acp`): first comes `PermissionRequest`, then the
# question to the person, and only after a yes `PreToolUse`. Its "allow" comes too late to spare the question. Headless (`-p`) the
# call is declined without any of the two events, so the "allow" is never asked for.
#
# What it means here: Portcullis cannot spare a question there, and it must judge `PermissionRequest` as well as `PreToolUse`.
set -eu
version=0.24.4
folder=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix client "@qwen-code/qwen-code@$version" node@22.23.3 > npm.log 2>&1
PATH=$folder/client/node_modules/node/bin:$PATH

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
    const input = JSON.stringify({ command: "echo x > ran", description: "Write", is_background: false });
    const delta = { role: "assistant", content: call ? "" : "done" };
    if (call) delta.tool_calls = [{ index: 0, id: "call_1", type: "function", function: { name: "run_shell_command", arguments: input } }];
    const chunk = (delta, finish_reason) => ({ id: "chat_1", object: "chat.completion.chunk", created: 1, model: body.model, choices: [{ index: 0, delta, finish_reason }] });
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const part of [chunk(delta, null), chunk({}, call ? "tool_calls" : "stop")]) response.write(`data: ${JSON.stringify(part)}\n\n`);
    response.end("data: [DONE]\n\n");
  });
}).listen(0, "127.0.0.1", function () { fs.writeFileSync("port", String(this.address().port)); });
END

# A stand-in for the editor: it sends one prompt, notes each question, and says yes to it.
cat > editor.js << 'END'
const { spawn } = require("child_process"), fs = require("fs"), readline = require("readline");
const [program, ...rest] = process.argv.slice(2);
const client = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
const send = (message) => client.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const next = {
  1: () => send({ id: 2, method: "session/new", params: { cwd: process.cwd(), mcpServers: [] } }),
  2: (result) => send({ id: 3, method: "session/prompt", params: { sessionId: result.sessionId, prompt: [{ type: "text", text: "go" }] } }),
  3: () => client.kill(),
};
readline.createInterface({ input: client.stdout }).on("line", (line) => {
  if (!line.startsWith("{")) return;
  const { id, method, params, result } = JSON.parse(line);
  if (method === "session/request_permission") {
    fs.appendFileSync("../events", "question\n");
    const yes = params.options.find((option) => option.kind === "allow_once");
    send({ id, result: { outcome: { outcome: "selected", optionId: yes.optionId } } });
  } else if (method) {
    if (id !== undefined) send({ id, error: { code: -32601, message: "not known" } });
  } else if (next[id]) next[id](result);
});
send({ id: 1, method: "initialize", params: { protocolVersion: 1, clientCapabilities: {} } });
END
node model.js &
server=$!
until [ -s port ]; do sleep 0.1; done

cat > hook.sh << END
#!/bin/sh
cat > /dev/null
echo "\$1" >> "$folder/events"
[ "\$1" != PreToolUse ] || echo '{"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow", "permissionDecisionReason": "fine"}}'
END
chmod +x hook.sh
entry() { echo "\"$1\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"$folder/hook.sh $1\"}]}]"; }
mkdir -p work home/.qwen
cat > home/.qwen/settings.json << END
{"security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": false}, "general": {"enableAutoUpdate": false},
 "hooks": {$(entry PreToolUse), $(entry PermissionRequest)}}
END
cd work
qwen=../client/node_modules/.bin/qwen
# run PROGRAM ARGUMENTS. The proxy does not exist: only the stand-in can be reached.
run() {
  rm -f ran
  : > ../events
  env -i PATH="$PATH" HOME="$folder/home" OPENAI_API_KEY=made-up OPENAI_BASE_URL="http://127.0.0.1:$(cat ../port)/v1" \
    OPENAI_MODEL=made-up QWEN_CODE_NO_RELAUNCH=true HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
    "$@" --auth-type openai -m made-up --approval-mode default > ../said 2>&1 < /dev/null
}
ran() { test -e ran && echo yes || echo no; }
seen() { [ "$2" = "$3" ] || { echo "changed: $1 is now: $2 (it was: $3)"; exit 1; }; }
seen "the version" "$(HOME="$folder/home" $qwen --version)" "$version"
run node ../editor.js $qwen --acp
seen "the order in an editor" "$(paste -sd' ' ../events)" "PermissionRequest question PreToolUse"
seen "whether the call ran in an editor" "$(ran)" yes
run $qwen -p go
seen "the events of a headless run" "$(paste -sd' ' ../events)" ""
seen "whether the call ran headless" "$(ran)" no
echo "as seen: PreToolUse comes after the question, and not at all in a headless run that may not ask"
