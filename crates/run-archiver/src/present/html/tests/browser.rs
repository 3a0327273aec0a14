//! The page in a browser: how long it takes, that nothing complains, that the script does what the buttons say.

use std::{path::Path, process::Command};

use fs_err as fs;

use super::{large, page, picture};

/// Written behind the page: acts like a user, and leaves what it saw in the title.
const PROBE: &str = r"<script>
addEventListener('load', function () { setTimeout(function () {
  var seen = [Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)];
  var path = function () { return document.querySelectorAll('#strips svg path.work')[1].getAttribute('d'); };
  var whole = path(), key = function (k) { document.getElementById('strips').dispatchEvent(new KeyboardEvent('keydown', { key: k })); };
  document.querySelector('[data-do=in]').click(); seen.push(path() !== whole);
  key('0'); seen.push(path() === whole || document.getElementById('window').textContent === '');
  key('+'); seen.push(document.getElementById('window').textContent); key('0');
  var find = document.getElementById('find'); find.value = '60500'; find.dispatchEvent(new Event('input'));
  seen.push(document.querySelectorAll('#table tbody tr:not([hidden])').length);
  document.querySelector('#table tbody tr:not([hidden])').click();
  seen.push(document.getElementById('window').textContent);
  document.title = 'PROBE ' + JSON.stringify(seen);
}, 0); });
</script></body>";

/// The first browser of the house that is installed.
fn browser() -> Option<&'static str> {
    let is_there =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there)
}

/// What the browser leaves of a page, and what it complained of.
fn opened(browser: &str, page: &Path) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0"])
        .args(["--timeout=20000", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let complaints = text(output.stderr).lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (text(output.stdout), complaints)
}

#[test]
fn the_page_opens_at_once_and_its_script_works() {
    let Some(browser) = browser() else {
        eprintln!("SKIPPED: no Chromium; enable with `apt-get update && apt-get install -y chromium`");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page.html");
    fs::write(&path, page(&picture(large())).unwrap().replace("</body>", PROBE)).unwrap();
    let (dom, complaints) = opened(browser, &path);
    assert_eq!(complaints, Vec::<String>::new());
    let seen = dom.split_once("<title>PROBE ").and_then(|(_, rest)| rest.split_once("</title>"));
    let (seen, _) = seen.unwrap_or_else(|| panic!("the probe did not end: {}", &dom[..dom.len().min(2000)]));
    let seen: serde_json::Value = serde_json::from_str(&seen.replace("&quot;", "\"")).unwrap();
    eprintln!("milliseconds to load, and what the probe saw: {seen}");
    assert!(seen[0].as_u64().is_some_and(|milliseconds| milliseconds < 1_000), "{seen}");
    assert_eq!(seen[1], true, "zooming draws anew");
    assert_eq!(seen[2], true, "0 shows the whole range");
    assert_eq!(seen[3], "runs 35001 to 85000");
    assert_eq!(seen[4], 1, "the acknowledged gap has one row");
    assert_eq!(seen[5], "runs 58200 to 62999");
}
