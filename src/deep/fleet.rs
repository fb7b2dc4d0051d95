//! What all machines of a fleet share, in an engine of their own: one script of Redis 7 for each decision.
//!
//! The time is the engine's, so that clocks of machines do not matter. The script is done as a whole or not at all.

use std::time::Duration;

use gate::deep::Stop;
use gate::failure::Failure;
use gate::world::meters::{CallEnd, FleetCount, FleetStore, MeterUse};
use policy::FleetSection;
use redis::{Client, Connection, ErrorKind, IntoConnectionInfo as _, RedisError, Script};

/// How long the engine is waited for, each time.
const PATIENCE: Duration = Duration::from_millis(200);
/// Milliseconds for which a call counts that was let through and of whose end nothing is known.
const IN_FLIGHT: u64 = 600_000;

/// Drops what left the window, and takes places if the call fits: the number of calls of others, whether it was taken, and
/// milliseconds until it would fit (-1: waiting does not help).
///
/// `KEYS`: calls that ran, calls that have not ended; each a sorted set of calls by time. `ARGV`: the call (empty: only look),
/// places that it needs, places that there are, the window.
const COUNT: &str = r"
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local call, needs, of, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if window > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[5]))
local times, own = {}, 0
for set = 1, 2 do
  local rows = redis.call('ZRANGE', KEYS[set], 0, -1, 'WITHSCORES')
  for at = 1, #rows, 2 do
    if call ~= '' and string.sub(rows[at], 1, #call + 1) == call .. ':' then own = own + 1
    else times[#times + 1] = tonumber(rows[at + 1]) end
  end
end
table.sort(times)
local used = #times
if own >= needs and needs > 0 then return { used, 1, -1 } end
if used + needs > of then
  local leaving = used + needs - of
  local wait = -1
  if window > 0 and times[leaving] then wait = times[leaving] + window - now end
  return { used, 0, wait }
end
if call ~= '' then
  for at = 1, needs do redis.call('ZADD', KEYS[2], now, call .. ':' .. at) end
  if window > 0 then
    local keep = math.max(window, tonumber(ARGV[5]))
    redis.call('PEXPIRE', KEYS[2], keep)
  end
end
return { used, 1, -1 }
";

/// Moves a call to those that ran (`ARGV[2]` is `1`), or drops it.
const END: &str = r"
local rows = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for at = 1, #rows, 2 do
  if string.sub(rows[at], 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
    redis.call('ZREM', KEYS[2], rows[at])
    if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], rows[at + 1], rows[at]) end
  end
end
return 1
";

/// A connection for one decision.
pub(super) struct RedisStore {
    connection: std::cell::RefCell<Connection>,
    engine: String,
}

/// Connects to the engine of a section.
///
/// # Errors
///
/// [`Failure::StateUnusable`]: it cannot be reached, and the policy says that calls are denied then.
pub(super) fn connect(section: &FleetSection) -> Result<Option<RedisStore>, Stop> {
    let unusable = |why: String| Failure::StateUnusable(format!("`{}` of `[store]` ({}): {why}", section.engine, section.place));
    let password = match (section.password_env, section.password_file) {
        ("", "") => None,
        (name, "") => Some(std::env::var(name).map_err(|_| unusable(format!("the variable `{name}` is not set")))?),
        (_, file) => Some(std::fs::read_to_string(file).map_err(|error| unusable(format!("`{file}`: {error}")))?.trim_end().to_owned()),
    };
    let mut address = section.engine.into_connection_info().map_err(|error| unusable(error.to_string()))?;
    address.redis.password = password;
    let connected = Client::open(address).and_then(|client| client.get_connection_with_timeout(PATIENCE)).and_then(|connection| {
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        Ok(connection)
    });
    match connected {
        Ok(connection) => Ok(Some(RedisStore { connection: connection.into(), engine: format!("{} ({})", section.engine, section.place) })),
        Err(error) if section.local && is_unreachable(&error) => Ok(None),
        Err(error) => Err(unusable(error.to_string()).into()),
    }
}

/// Whether the engine gave no answer, rather than a wrong one.
fn is_unreachable(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_refusal() || error.kind() == ErrorKind::BusyLoadingError
}

impl RedisStore {
    fn keys(number: u64) -> [String; 2] {
        // The braces keep both on one machine of a cluster.
        ["ran", "open"].map(|set| format!("portcullis:{{{number:016x}}}:{set}"))
    }

    fn unusable(&self, error: &RedisError) -> Failure {
        Failure::StateUnusable(format!("`{}` of `[store]`: {error}", self.engine))
    }
}

impl FleetStore for RedisStore {
    fn count(&self, count: &FleetCount) -> Result<MeterUse, Failure> {
        let [ran, open] = Self::keys(count.number);
        let call = count.key.map(|key| format!("{key:016x}")).unwrap_or_default();
        let script = Script::new(COUNT);
        let mut asked = script.prepare_invoke();
        asked.key(ran).key(open).arg(call).arg(count.needs).arg(count.of).arg(count.window).arg(IN_FLIGHT);
        let (used, fits, wait): (u64, u8, i64) = asked.invoke(&mut *self.connection.borrow_mut()).map_err(|error| self.unusable(&error))?;
        let opens_in = u64::try_from(wait).ok().map(|milliseconds| milliseconds.div_ceil(1000).max(1));
        let used = if fits == 1 { used.min(count.of.saturating_sub(count.needs)) } else { used };
        Ok(MeterUse { used, needs: count.needs, of: count.of, opens_in })
    }

    fn end(&self, number: u64, key: u64, how: CallEnd) -> Result<(), Failure> {
        let [ran, open] = Self::keys(number);
        let script = Script::new(END);
        let mut asked = script.prepare_invoke();
        asked.key(ran).key(open).arg(format!("{key:016x}")).arg(u8::from(how == CallEnd::Ran));
        asked.invoke::<u8>(&mut *self.connection.borrow_mut()).map(|_| ()).map_err(|error| self.unusable(&error))
    }
}
