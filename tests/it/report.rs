//! The report in a real browser: nothing is loaded, nothing is cut at the width of a phone, every text can be read in light and
//! dark, and names that want to be more than names are shown as text.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gate::record::{Entry, Held, RecordSource, RecordedRule};
use gate::world::record;
use serde_json::Value;

use crate::support::{COLD, Said, Scratch, commit_files, not_run, run};

const CHROMIUM: &str = "/usr/bin/chromium";
/// Where the pictures are kept, if somebody wants to look at them.
const PICTURES: &str = "PORTCULLIS_REPORT_PICTURES";
const DAY: u64 = 86_400_000;
/// 2026-11-20, noon.
const NOON: u64 = 1_795_176_000_000;

/// Names that want to be more than names.
const HOSTILE: [&str; 6] = [
    "<script>document.title='owned'</script>",
    "<img src=http://evil.test/x onerror=\"document.title='owned'\">",
    "\"><style>body{display:none}</style>",
    "&lt;b&gt;\u{202e}gnp.exe",
    "' onmouseover='document.title=1",
    "</code></li></ul><h1>ALL CALLS WERE ALLOWED</h1>",
];

/// A repository with some weeks of work.
fn worked() -> Scratch {
    let scratch = Scratch::new();
    let folders = scratch.world().at(&scratch.repo()).unwrap().memory;
    let put = |entry: Entry| record::append(&folders, &entry.line(), None).unwrap();
    let call = |at: u64, time: u64, tool: &str, what: &str| Entry {
        session: format!("s{}", at % 7),
        agent: if at.is_multiple_of(5) { "reviewer" } else { "main" }.to_owned(),
        tool: tool.to_owned(),
        call: format!("toolu_{at}_{time}"),
        input: Some(gate::record::hash(what.as_bytes())),
        kinds: vec!["run".to_owned()],
        tier: Some(1),
        what: what.to_owned(),
        took: Some(400 + at * 10),
        ..Entry::new("PreToolUse", RecordSource::Hot, time)
    };
    let rule = |name: &str, tier| vec![RecordedRule { name: name.to_owned(), tier, shadow: false }];
    for day in 0..21_u64 {
        for at in 0..(4 + day * 7 % 23) {
            let time = NOON + day * DAY + at * 60_000;
            put(call(
                at,
                time,
                ["Bash", "Read", "Edit", "mcp__github__create_issue"][usize::try_from(at % 4).unwrap()],
                &format!("cargo test --test it part_{at}"),
            ));
        }
        let time = NOON + day * DAY + 3_600_000;
        if day.is_multiple_of(3) {
            put(Entry { tier: Some(4), held: Some(Held::Deny), rules: rule("force-push", 4), ..call(1, time, "Bash", "git push --force origin main") });
            put(call(1, time + 5000, "Bash", "git push origin topic"));
        }
        if day.is_multiple_of(4) {
            put(Entry {
                tier: Some(3),
                held: Some(Held::Ask),
                rules: rule("recursive-deletion", 3),
                ..call(2, time, "Bash", "rm -rf build/output/of/a/folder/with/a/very/long/name/that/does/not/fit/on/any/phone/at/all/whatever/is/done")
            });
        }
    }
    for (at, name) in HOSTILE.iter().enumerate() {
        let time = NOON + 20 * DAY + 7_200_000 + at as u64;
        let hostile = call(at as u64, time, name, name);
        put(Entry { agent: (*name).to_owned(), tier: Some(4), held: Some(Held::Deny), rules: rule(name, 4), ..hostile });
    }
    // A policy that was changed, by somebody with such a name.
    let repository = git2::Repository::open(scratch.repo()).unwrap();
    scratch.write("portcullis.toml", "schema = 1\n[[limit]]\nname = \"tests\"\nrun = { program = \"cargo\" }\nmax = 10\nper = \"1h\"\n");
    commit_files(&repository, &["portcullis.toml"], "policy: <b>count</b> tests");
    scratch
}

fn report(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(scratch.command(COLD).arg("report").args(arguments), b"")
}

fn page(scratch: &Scratch) -> String {
    let said = report(scratch, &["--output", "report.html"]);
    assert!(said.code == 0 && said.stdout.contains("written: report.html"), "{said:?}");
    fs::read_to_string(scratch.repo().join("report.html")).unwrap()
}

#[test]
fn the_figures_are_those_of_the_record() {
    let scratch = worked();
    let said = report(&scratch, &["--json"]);
    let figures: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
    let decisions = &figures["decisions"];
    assert_eq!((decisions["denied"].as_u64(), decisions["asked"].as_u64()), (Some(13), Some(6)), "{figures:#}");
    let log = run(scratch.command(COLD).args(["log", "--summary", "--json"]), b"");
    let summary: Value = serde_json::from_str(&log.stdout).unwrap();
    let all: u64 = ["allowed", "asked", "denied"].iter().map(|key| decisions[*key].as_u64().unwrap()).sum();
    assert_eq!(summary["decisions"].as_u64(), Some(all));
    let pushed = figures["stopped"].as_array().unwrap().iter().find(|call| call["rule"] == "force-push").unwrap();
    assert_eq!((pushed["count"].as_u64(), pushed["then"].as_str()), (Some(7), Some("Bash: git push origin topic")));
    assert_eq!(figures["times"].as_object().unwrap().len(), 21);
    let answered = &figures["answered_in_microseconds"][0];
    assert_eq!((answered["by"].as_str(), answered["decisions"].as_u64()), (Some("the hook alone"), Some(all)));
    assert!((400..700).contains(&answered["median"].as_u64().unwrap()), "{answered}");
    assert_eq!(figures["meters"][0]["name"], "tests");
    assert_eq!(figures["policy_changes"][0]["what"], "policy: <b>count</b> tests");
    let part: Value = serde_json::from_str(&report(&scratch, &["--json", "--since", "2026-12-01", "--until", "2026-12-02"]).stdout).unwrap();
    assert_eq!(part["times"].as_object().unwrap().len(), 2, "{part}");
    let empty = Scratch::new();
    assert!(page(&empty).contains("Nothing was decided in this time"));
}

#[test]
fn the_page_loads_nothing_and_names_stay_text() {
    let scratch = worked();
    let page = page(&scratch);
    for sign in ["<script", "href=", "url(", "@import", "<link", "<img", "<iframe", "onerror=\"", "<style>body{"] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert_eq!(
        (page.matches("<style>").count(), page.matches("<h1>").count(), page.matches("http").count()),
        (1, 1, page.matches("http://evil.test").count() + 1)
    );
    assert!(page.contains("How long answers took") && page.contains("half within 0.4"));
    assert!(page.contains("&lt;script&gt;") && page.contains("\\u{202e}") && page.contains("default-src 'none'"));
    let text = report(&scratch, &["--format", "md"]);
    assert!(text.code == 0 && text.stdout.contains("| `force-push` | `Bash: git push --force origin main` | 7 | `Bash: git push origin topic` |"), "{text:?}");
    assert!(text.stdout.lines().filter(|line| line.starts_with('|')).all(|line| line.matches(" | ").count() <= 4), "{}", text.stdout);
}

/// What is measured in the page: its width, the width of what it holds, and every text whose contrast is too low (WCAG 2.2, 1.4.3).
const MEASURE: &str = r"
(() => {
  const light = c => { const v = c.map(x => x / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const colour = text => (text.match(/[\d.]+/g) || []).map(Number);
  const behind = element => { for (let e = element; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const low = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let texts = 0;
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || element.tagName === 'SCRIPT') continue;
    texts++;
    const a = light(colour(getComputedStyle(element).color)), b = light(behind(element)), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(node.data.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.tagName + ' ' + e.textContent.slice(0, 40));
  return JSON.stringify({ texts, low, wide, inner: innerWidth, scroll: document.documentElement.scrollWidth, title: document.title, h1: document.querySelectorAll('h1').length,
    dark: matchMedia('(prefers-color-scheme: dark)').matches, back: getComputedStyle(document.body).backgroundColor });
})()
";

/// Runs the browser without its own traffic. Returns what it printed.
fn browser(folder: &Path, arguments: &[&str], proxy: u16) -> String {
    let mut command = Command::new(CHROMIUM);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]);
    command.args([
        "--disable-sync",
        "--disable-default-apps",
        "--disable-extensions",
        "--metrics-recording-only",
        "--hide-scrollbars",
        "--virtual-time-budget=3000",
    ]);
    command
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--proxy-server=127.0.0.1:{proxy}"))
        .arg("--proxy-bypass-list=<-loopback>");
    let output = command.args(arguments).env("HOME", folder).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn a_browser_shows_it_on_a_phone_in_light_and_dark_and_asks_nobody() {
    if !fs::exists(CHROMIUM).unwrap() {
        return not_run("chromium");
    }
    let scratch = worked();
    let page = page(&scratch);
    let folder = scratch.home();
    // Whatever is asked for comes here.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 1024];
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            let length = stream.read(&mut head).unwrap_or(0);
            kept.lock().unwrap().push(String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    // A window is never narrower than 500 points, so the page is put into a frame. What measures must be allowed there.
    let open = page.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';");
    let framed = open.replace("</body>", &format!("<script>parent.document.title = {MEASURE}</script></body>"));
    for (width, dark) in [(390, false), (390, true), (1280, false), (320, true)] {
        let source = framed.replace('&', "&amp;").replace('"', "&quot;");
        let outer = format!(
            "<!DOCTYPE html><meta charset=utf-8><title>-</title><body style=\"margin:0\"><iframe style=\"border:0\" width={width} height=6000 srcdoc=\"{source}\"></iframe>"
        );
        let file = folder.join("outer.html");
        fs::write(&file, outer).unwrap();
        let address = format!("file://{}", file.display());
        let mut arguments = vec!["--window-size=1400,6000", "--dump-dom"];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        } else {
            arguments.push("--blink-settings=preferredColorScheme=1");
        }
        arguments.push(&address);
        let dom = browser(&folder, &arguments, proxy);
        let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let title = title.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let found: Value = serde_json::from_str(&title).unwrap_or_else(|error| panic!("{error}: {title} in {}", &dom[..dom.len().min(500)]));
        println!("{width} points, dark {dark}: {} texts, {} of {} wide", found["texts"], found["scroll"], found["inner"]);
        assert_eq!((found["inner"].as_u64(), found["dark"].as_bool()), (Some(width), Some(dark)), "{found}");
        assert!(found["scroll"].as_u64().unwrap() <= width && found["wide"].as_array().unwrap().is_empty(), "{found}");
        assert!(found["low"].as_array().unwrap().is_empty() && found["texts"].as_u64().unwrap() > 100, "{found}");
        assert_eq!((found["h1"].as_u64(), found["title"].as_str().unwrap().ends_with("Portcullis")), (Some(1), true), "{found}");
    }
    // A page that is not careful would be seen here.
    fs::write(folder.join("outer.html"), "<img src=http://careless.test/x>").unwrap();
    browser(&folder, &["--dump-dom", &format!("file://{}", folder.join("outer.html").display())], proxy);
    assert!(asked.lock().unwrap().iter().any(|line| line.contains("careless.test")), "nothing was seen of a page that asks");
    let own = asked.lock().unwrap().clone();
    assert!(own.iter().all(|line| !line.contains("evil.test") && !line.contains("127.0.0.1")), "{own:?}");
    println!("asked for: {own:?}");
    if let Some(pictures) = std::env::var_os(PICTURES) {
        let pictures = Path::new(&pictures);
        fs::create_dir_all(pictures).unwrap();
        fs::write(pictures.join("report.html"), &page).unwrap();
        for (name, dark, width) in [("light", 1, 1280), ("dark", 0, 1280), ("phone", 1, 390), ("phone-dark", 0, 390)] {
            let source = page.replace('&', "&amp;").replace('"', "&quot;");
            let file = folder.join("outer.html");
            fs::write(&file, format!("<!DOCTYPE html><meta charset=utf-8><body style=\"margin:0\"><iframe style=\"border:0\" width={width} height=2400 srcdoc=\"{source}\"></iframe>")).unwrap();
            let shot = format!("--screenshot={}", pictures.join(format!("{name}.png")).display());
            let (size, scheme) = (format!("--window-size={},2400", width.max(500)), format!("--blink-settings=preferredColorScheme={dark}"));
            browser(&folder, &[&size, &scheme, &shot, &format!("file://{}", file.display())], proxy);
        }
    }
}
