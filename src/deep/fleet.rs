//! What all machines of a fleet share, in an engine of their own: one script of Redis 7 for each decision.
//!
//! The time is the engine's, so that clocks of machines do not matter. The script is done as a whole or not at all.

use std::time::Duration;

use gate::deep::Stop;
use gate::failure::Failure;
use gate::world::meters::{CallEnd, FleetCount, FleetMeter, FleetStore, FleetUnit, MeterUse};
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

/// Adds up what was spent and what calls of others may still cost, and reserves what the call needs if that fits: what is used,
/// and whether it was reserved.
///
/// `KEYS`: what was spent; calls that have not ended, each with what it may cost and when it began. `ARGV`: the call (empty:
/// only look), what it needs, what there is, milliseconds for which a call counts that does not end, milliseconds that all of
/// this is kept without a change.
const RESERVE: &str = r"
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local call, needs, of, patience, keep = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local used, own = tonumber(redis.call('GET', KEYS[1]) or '0'), false
local rows = redis.call('HGETALL', KEYS[2])
for at = 1, #rows, 2 do
  local micro, begun = string.match(rows[at + 1], '^(%d+):(%d+)$')
  if not micro then return redis.error_reply('WRONGVALUE what a call may cost is not as it was written') end
  if now - tonumber(begun) >= patience then redis.call('HDEL', KEYS[2], rows[at])
  elseif rows[at] == call then own = true
  else used = used + tonumber(micro) end
end
if own then return { string.format('%.0f', used), 1 } end
if used + needs > of then return { string.format('%.0f', used), 0 } end
if call ~= '' then
  redis.call('HSET', KEYS[2], call, string.format('%.0f:%.0f', needs, now))
  redis.call('PEXPIRE', KEYS[2], keep)
end
return { string.format('%.0f', used), 1 }
";

/// Forgets a call, and adds what it cost. `ARGV`: the call, whether it ran (`1`), what its answer says that it cost (empty:
/// what it reserved), milliseconds that the sum is kept without a change.
const SETTLE: &str = r"
local row = redis.call('HGET', KEYS[2], ARGV[1])
if not row then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[2] == '1' then
  local micro = ARGV[3]
  if micro == '' then micro = string.match(row, '^(%d+):') end
  redis.call('INCRBY', KEYS[1], micro)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
";

/// Adds what was spent beside calls.
const SPEND: &str = r"
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return sum
";

/// Milliseconds for which a budget is kept that nobody uses: it is for a day, and machines may be in different ones.
const KEPT: u64 = 3 * 86_400_000;

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
    fn keys(meter: FleetMeter) -> [String; 2] {
        let sets = match meter.counts {
            FleetUnit::Calls => ["ran", "open"],
            FleetUnit::Money => ["spent", "reserved"],
        };
        // The braces keep both on one machine of a cluster.
        sets.map(|set| format!("portcullis:{{{:016x}}}:{set}", meter.number))
    }

    fn unusable(&self, error: &RedisError) -> Failure {
        Failure::StateUnusable(format!("`{}` of `[store]`: {error}", self.engine))
    }

    /// Runs a script on a meter's two keys.
    fn run<T: redis::FromRedisValue>(&self, script: &str, meter: FleetMeter, words: &[String]) -> Result<T, Failure> {
        let script = Script::new(script);
        let mut asked = script.prepare_invoke();
        for key in Self::keys(meter) {
            asked.key(key);
        }
        for word in words {
            asked.arg(word);
        }
        asked.invoke(&mut *self.connection.borrow_mut()).map_err(|error| self.unusable(&error))
    }
}

impl FleetStore for RedisStore {
    fn count(&self, count: &FleetCount) -> Result<MeterUse, Failure> {
        let call = count.key.map(|key| format!("{key:016x}")).unwrap_or_default();
        let (needs, of) = (count.needs.to_string(), count.of.to_string());
        let (used, fits, wait): (u64, u8, i64) = match count.meter.counts {
            FleetUnit::Calls => self.run(COUNT, count.meter, &[call, needs, of, count.window.to_string(), IN_FLIGHT.to_string()])?,
            FleetUnit::Money => {
                let (used, fits) = self.run(RESERVE, count.meter, &[call, needs, of, IN_FLIGHT.to_string(), KEPT.to_string()])?;
                (used, fits, -1)
            }
        };
        let opens_in = u64::try_from(wait).ok().map(|milliseconds| milliseconds.div_ceil(1000).max(1));
        let used = if fits == 1 { used.min(count.of.saturating_sub(count.needs)) } else { used };
        Ok(MeterUse { used, needs: count.needs, of: count.of, opens_in, is_crowded: false })
    }

    fn end(&self, meter: FleetMeter, key: u64, how: CallEnd, told: Option<u64>) -> Result<(), Failure> {
        let (call, ran) = (format!("{key:016x}"), u8::from(how == CallEnd::Ran).to_string());
        match meter.counts {
            FleetUnit::Calls => self.run::<u8>(END, meter, &[call, ran]).map(|_| ()),
            FleetUnit::Money => {
                let told = told.map(|micro| micro.to_string()).unwrap_or_default();
                self.run::<u8>(SETTLE, meter, &[call, ran, told, KEPT.to_string()]).map(|_| ())
            }
        }
    }

    fn spend(&self, meter: FleetMeter, micro: u64) -> Result<(), Failure> {
        self.run::<i64>(SPEND, meter, &[micro.to_string(), KEPT.to_string()]).map(|_| ())
    }
}
