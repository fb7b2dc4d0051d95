//! Commands of Redis and Valkey: of the shell's words, or of lines.

use crate::lex::HOLE;
use crate::{LossKind, Lost};

/// Between the words of a command that is given as arguments.
pub const BETWEEN: char = '\u{1f}';
/// Commands that overwrite or delete keys, or parts of them.
const WRITES: &str = "DEL UNLINK GETDEL SET GETSET MSET SETEX PSETEX SETBIT SETRANGE INCR DECR INCRBY DECRBY INCRBYFLOAT EXPIRE PEXPIRE EXPIREAT PEXPIREAT LPOP RPOP LSET LREM LTRIM LMPOP BLPOP BRPOP BLMPOP SREM SPOP ZREM ZPOPMIN ZPOPMAX ZMPOP BZPOPMIN BZPOPMAX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX ZADD ZINCRBY HDEL HSET HMSET HINCRBY HINCRBYFLOAT HGETDEL HSETEX XDEL XTRIM XADD XGROUP BITOP BITFIELD SINTERSTORE SUNIONSTORE SDIFFSTORE ZUNIONSTORE ZINTERSTORE ZDIFFSTORE ZRANGESTORE GEOSEARCHSTORE MSETEX DELIFEQ JSON.DEL JSON.SET FT.DROPINDEX PFMERGE";

/// Reads commands one after the other.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    lost: Vec<Lost>,
    /// Of a transaction that is not executed yet.
    queued: Option<Vec<Lost>>,
    /// Keys may be evicted, and little room is left.
    evicts: bool,
    small: bool,
    ended: bool,
}

impl Commands {
    /// Words of arguments with [`BETWEEN`] between them, or lines.
    pub(crate) fn text(&mut self, text: &str) {
        if text.contains(BETWEEN) {
            let words: Vec<String> = text.split(BETWEEN).filter(|word| !word.is_empty()).map(str::to_owned).collect();
            self.command(&words);
            return;
        }
        for line in text.lines() {
            if self.ended {
                return;
            }
            if let Some(words) = split(line.trim()) {
                // A number in front repeats.
                let count = usize::from(words.len() > 1 && words.first().is_some_and(|first| first.parse::<u32>().is_ok()));
                self.command(words.get(count..).unwrap_or(&[]));
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<Lost> {
        self.lost
    }

    fn command(&mut self, words: &[String]) {
        let Some((first, args)) = words.split_first() else { return };
        let name = first.to_ascii_uppercase();
        let arg = |at: usize| args.get(at).map(|arg| arg.to_ascii_uppercase()).unwrap_or_default();
        let key = || args.first().cloned().unwrap_or_default();
        let all = || Some(Lost::new(LossKind::Database, ""));
        let lost = match name.as_str() {
            "EXIT" | "QUIT" if args.is_empty() => {
                self.ended = true;
                None
            }
            "MULTI" => {
                self.queued = Some(Vec::new());
                return;
            }
            "DISCARD" => {
                self.queued = None;
                return;
            }
            "EXEC" => {
                self.lost.extend(self.queued.take().unwrap_or_default());
                return;
            }
            "FLUSHALL" | "FLUSHDB" if args.is_empty() || matches!(arg(0).as_str(), "SYNC" | "ASYNC") => all(),
            "SHUTDOWN" if args.iter().any(|arg| arg.eq_ignore_ascii_case("NOSAVE")) => all(),
            "DEBUG" if arg(0) == "RELOAD" && arg(1) == "NOSAVE" => all(),
            "REPLICAOF" | "SLAVEOF" if arg(0) != "NO" && args.len() == 2 => all(),
            "EVAL" | "EVALSHA" | "FCALL" => program(args),
            "FUNCTION" if matches!(arg(0).as_str(), "FLUSH" | "DELETE") => Some(Lost::new(LossKind::Definition, "")),
            "ACL" if arg(0) == "DELUSER" => Some(Lost::new(LossKind::Definition, "")),
            "ACL" if arg(0) == "SETUSER" && args.iter().any(|arg| arg.eq_ignore_ascii_case("allcommands") || arg.eq_ignore_ascii_case("+@all")) => {
                Some(Lost::new(LossKind::Permissions, ""))
            }
            "CONFIG" if arg(0) == "SET" => {
                for pair in args.get(1..).unwrap_or(&[]).chunks(2) {
                    let [setting, value] = pair else { continue };
                    match setting.to_ascii_lowercase().as_str() {
                        "maxmemory-policy" => self.evicts = value.to_ascii_lowercase().starts_with("allkeys"),
                        "maxmemory" => self.small = value.parse::<u64>().is_ok_and(|bytes| bytes > 0 && bytes < 1 << 20),
                        _ => {}
                    }
                }
                if self.evicts && self.small { all() } else { None }
            }
            "SET" if args.iter().any(|arg| arg.eq_ignore_ascii_case("NX")) => None,
            "DEL" | "UNLINK" if args.iter().any(|arg| arg.chars().filter(|c| *c == HOLE).count() > 1) => Some(Lost::new(LossKind::Database, crate::SEVERAL)),
            "SORT" | "GEORADIUS" if args.iter().any(|arg| arg.eq_ignore_ascii_case("STORE")) => Some(Lost::new(LossKind::Keys, key())),
            "COPY" | "RESTORE" if args.iter().any(|arg| arg.eq_ignore_ascii_case("REPLACE")) => Some(Lost::new(LossKind::Keys, key())),
            _ if WRITES.split(' ').any(|known| known == name) && !args.is_empty() => Some(Lost::new(LossKind::Keys, key())),
            _ => None,
        };
        match &mut self.queued {
            Some(queued) => queued.extend(lost),
            None => self.lost.extend(lost),
        }
    }
}

/// What a program in Lua loses, by the calls in it that are written out.
fn program(args: &[String]) -> Option<Lost> {
    let text = args.first()?;
    // `'FLU'..'SHALL'`
    let mut folded = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((front, behind)) = rest.split_once("..") {
        let (front, behind_trimmed) = (front.trim_end(), behind.trim_start());
        let quote = front.chars().last().filter(|c| matches!(c, '\'' | '"'));
        let next = behind_trimmed.chars().next().filter(|c| matches!(c, '\'' | '"'));
        match (quote, next) {
            (Some(quote), Some(_)) => {
                folded.push_str(front.strip_suffix(quote).unwrap_or(front));
                rest = behind_trimmed.get(1..).unwrap_or("");
            }
            _ => {
                folded.push_str(front);
                folded.push_str("..");
                rest = behind;
            }
        }
    }
    folded.push_str(rest);
    let lower = folded.to_lowercase();
    let mut worst: Option<Lost> = None;
    for call in ["redis.call(", "redis.pcall(", "server.call(", "server.pcall("] {
        for (at, _) in lower.match_indices(call) {
            let behind = lower.get(at + call.len()..).unwrap_or("").trim_start();
            let Some(quote) = behind.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
                return Some(Lost::new(LossKind::Unknown, ""));
            };
            let name: String = behind.chars().skip(1).take_while(|c| *c != quote).collect();
            let pattern = lower.contains("'keys'") || lower.contains("\"keys\"") || lower.contains("'scan'") || lower.contains("\"scan\"");
            match name.as_str() {
                "flushall" | "flushdb" => return Some(Lost::new(LossKind::Database, "")),
                "del" | "unlink" if pattern => return Some(Lost::new(LossKind::Database, "")),
                name if WRITES.split(' ').any(|known| known.eq_ignore_ascii_case(name)) => worst = Some(Lost::new(LossKind::Keys, "")),
                _ => {}
            }
        }
    }
    worst
}

/// The words of a line, as `sdssplitargs` finds them. `None`: a quote is open.
fn split(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        if chars.peek().is_none() {
            return Some(all);
        }
        let mut word = String::new();
        while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace()) {
            match c {
                '"' => loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            'x' => {
                                let digits: String = chars.clone().take(2).collect();
                                match u8::from_str_radix(&digits, 16) {
                                    Ok(byte) => {
                                        word.push(char::from(byte));
                                        chars.next();
                                        chars.next();
                                    }
                                    Err(_) => word.push('x'),
                                }
                            }
                            'n' => word.push('\n'),
                            't' => word.push('\t'),
                            other => word.push(other),
                        },
                        other => word.push(other),
                    }
                },
                '\'' => loop {
                    match chars.next()? {
                        '\'' => break,
                        '\\' if chars.peek() == Some(&'\'') => word.extend(chars.next()),
                        other => word.push(other),
                    }
                },
                other => word.push(other),
            }
        }
        all.push(word);
    }
}
