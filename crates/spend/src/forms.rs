//! The lines of each client's transcript.

use serde_json::Value;

use super::{LinesBefore, ModelAnswer, TokenUsage};

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    value.pointer(path)
}

/// Usage in which the input counts what was cached too.
fn inclusive(usage: &Value, [input, read, write, output]: [&str; 4]) -> TokenUsage {
    let (cache_read, cache_write) = (number(usage, read), number(usage, write));
    TokenUsage {
        input: number(usage, input).saturating_sub(cache_read).saturating_sub(cache_write),
        cache_read,
        cache_write,
        cache_write_hour: 0,
        output: number(usage, output),
    }
}

/// Claude Code 2.1.332: one line for each part of an answer, each with the whole usage. Compaction, titles and hooks that ask
/// the model are in none of them.
pub(super) fn claude_code(line: &Value) -> Option<ModelAnswer> {
    let (message, usage) = (line.get("message")?, at(line, "/message/usage").filter(|usage| usage.is_object())?);
    let model = text(message, "model");
    if text(line, "type") != "assistant" || model == "<synthetic>" {
        return None;
    }
    // A gateway may give every answer the same id, and some versions write no id of the request.
    let request = ["requestId", "requestRef"].iter().map(|key| text(line, key)).find(|id| !id.is_empty()).unwrap_or_default();
    let write = number(usage, "cache_creation_input_tokens");
    let hour = at(usage, "/cache_creation/ephemeral_1h_input_tokens").and_then(Value::as_u64).unwrap_or(0).min(write);
    Some(ModelAnswer {
        key: format!("claude {} {request}", text(message, "id")),
        model: model.to_owned(),
        usage: TokenUsage {
            input: number(usage, "input_tokens"),
            cache_read: number(usage, "cache_read_input_tokens"),
            cache_write: write - hour,
            cache_write_hour: hour,
            output: number(usage, "output_tokens"),
        },
        whole: !text(message, "stop_reason").is_empty(),
        day: None,
        branch: None,
    })
}

/// Codex 0.171.0: `token_usage_record`. Other lines repeat it or add it up. Answers that were cut are in none.
pub(super) fn codex(line: &Value, before: &mut LinesBefore) -> Option<ModelAnswer> {
    let payload = line.get("payload")?;
    if text(line, "type") == "turn_context" {
        text(payload, "model").clone_into(&mut before.model);
        return None;
    }
    if text(line, "type") != "token_usage_record" {
        return None;
    }
    let usage = payload.get("usage")?;
    Some(ModelAnswer {
        key: format!("codex {} {}", text(payload, "thread_id"), text(payload, "response_id")),
        model: before.model.clone(),
        usage: inclusive(usage, ["input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens"]),
        whole: true,
        day: None,
        branch: None,
    })
}

/// Gemini CLI 0.61.0: an answer that calls tools is written twice with one id. Compression is in no line.
pub(super) fn gemini(line: &Value) -> Option<ModelAnswer> {
    let tokens = line.get("tokens").filter(|tokens| tokens.is_object() && text(line, "type") == "gemini")?;
    let usage = inclusive(tokens, ["input", "cached", "", "output"]);
    Some(ModelAnswer {
        key: format!("gemini {}", text(line, "id")),
        model: text(line, "model").to_owned(),
        usage: TokenUsage { output: usage.output + number(tokens, "thoughts"), ..usage },
        whole: true,
        day: None,
        branch: None,
    })
}

/// Qwen Code 0.24.4: its telemetry, which has sub-agents and compression too. Lines of the conversation repeat a part of it.
pub(super) fn qwen(line: &Value) -> Option<ModelAnswer> {
    let event = at(line, "/systemPayload/uiEvent").filter(|event| text(event, "event.name") == "qwen-code.api_response")?;
    let usage = inclusive(event, ["input_token_count", "cached_content_token_count", "", ""]);
    Some(ModelAnswer {
        key: format!("qwen {}", text(event, "response_id")),
        model: text(event, "model").to_owned(),
        // With some servers what was thought is in the output, with others beside it.
        usage: TokenUsage { output: number(event, "total_token_count").saturating_sub(number(event, "input_token_count")), ..usage },
        whole: true,
        day: None,
        branch: None,
    })
}

/// GitHub Copilot CLI 1.0.102.
pub(super) fn copilot(line: &Value) -> Option<ModelAnswer> {
    let data = line.get("data")?;
    let keys = ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "outputTokens"];
    let (usage, key) = match text(line, "type") {
        "session.usage_record" => {
            let usage = data.get("usage")?;
            let id = |key: &str| at(usage, &format!("/accounting/{key}")).and_then(Value::as_str).unwrap_or_default();
            (usage, format!("copilot {} {}", id("sourceSessionId"), id("usageId")))
        }
        "session.compaction_complete" => (data.get("compactionTokensUsed")?, format!("copilot compaction {}", text(data, "compactionAttemptId"))),
        _ => return None,
    };
    let model = ["model", "modelId"].iter().map(|key| text(usage, key)).find(|model| !model.is_empty()).unwrap_or_default();
    Some(ModelAnswer { key, model: model.to_owned(), usage: inclusive(usage, keys), whole: true, day: None, branch: None })
}

/// Kimi Code 2.1.0: `usage.record`. Two other kinds of lines repeat it. An interrupted answer has a record of zeros.
pub(super) fn kimi(line: &Value) -> Option<ModelAnswer> {
    let usage = line.get("usage").filter(|_| text(line, "type") == "usage.record")?;
    let usage = TokenUsage {
        input: number(usage, "inputOther"),
        cache_read: number(usage, "inputCacheRead"),
        cache_write: number(usage, "inputCacheCreation"),
        cache_write_hour: 0,
        output: number(usage, "output"),
    };
    let whole = usage != TokenUsage::default();
    // It has no id; the whole line with its time is one.
    whole.then(|| ModelAnswer { key: format!("kimi {line}"), model: text(line, "model").to_owned(), usage, whole, day: None, branch: None })
}
