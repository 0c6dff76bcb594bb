//! `callgrade eval`: what it prints of small files, whose figures were worked out by hand.

use callgrade::eval::Options;
use serde_json::{Value, json};

use crate::script_load::demo;
use crate::support::{callgrade, stderr, stdout, write_bundle};

mod development;
mod faults;
mod terminal;

const CALLS: &str = r#"{"callId":"c1","scriptId":"demo","events":[{"atMs":1000,"answered":{}},{"atMs":1200,"utterance":{"speaker":"ROBOT","text":"您好，这里是云拨智能，给您介绍一下可以吗？","nodeId":"opening","played":1}},{"atMs":6000,"utterance":{"speaker":"CUSTOMER","text":"多少钱"}},{"atMs":8000,"hangup":{"by":"CUSTOMER"}}]}
{"callId":"c2","scriptId":"demo","events":[{"atMs":1000,"answered":{}},{"atMs":1200,"utterance":{"speaker":"ROBOT","text":"您了解一下吧","nodeId":"opening","played":0.5}},{"atMs":2000,"utterance":{"speaker":"CUSTOMER","text":"我没有兴趣的"}},{"atMs":8000,"hangup":{"by":"CUSTOMER"}}]}
{"callId":"c3","scriptId":"demo","events":[{"atMs":1000,"answered":{}},{"atMs":2000,"utterance":{"speaker":"CUSTOMER","text":"不需要 多少钱"}},{"atMs":3000,"inviteOutcome":{"outcome":"ACCEPTED"}},{"atMs":8000,"hangup":{"by":"CUSTOMER"}}]}
{"callId":"c4","scriptId":"demo","events":[{"atMs":1000,"answered":{}}]}
"#;
/// Of c1 all is as people say; either case of names will do.
const GOLD: &str = r#"{"callId":"c1","label":"A","ruleId":"A1","completion":0.5,"machine":false,"invite":"none","asked":["price"],"refusals":0,"refusalStreak":0,"turns":[["ask:price"]]}
{"call_id":"c2","label":"D","rule_id":"D1","completion":0.4,"refusals":1,"refusal_streak":1,"turns":[["refuse"]]}

{"callId":"c3","label":"D","invite":"declined","asked":[],"turns":[["refuse"],["other"],["machine"]]}
{"callId":"c9","label":"F"}
"#;
const UTTERANCES: &str = r#"{"text":"多少钱","category":"price"}
{"text":"怎么个收费法","category":"price","label":"a field that means nothing here"}
{"text":"一年要交多少","category":"price"}
{"text":"不需要","category":"refuse"}
{"text":"没有兴趣","category":"refuse"}
{"text":"好的","category":"affirm","robot":"给您介绍一下可以吗"}
{"text":"天气好的","category":"other"}
{"text":"天气不错","category":"other","robot":""}
{"text":"不需要 <script>alert(1)</script>","category":"other"}
{"text":"我在开会","category":"busy"}
"#;

/// A folder with the demo and files.
struct Desk(tempfile::TempDir);

impl Desk {
    fn with(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().expect("a folder"));
        write_bundle(&demo().0, &desk.0.path().join("scripts"));
        files.iter().for_each(|(name, text)| std::fs::write(desk.0.path().join(name), text).expect("the file is written"));
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Exit code, output and errors, the folder's name left out; `@file` is a file of the folder.
    fn eval(&self, args: &[&str]) -> (i32, String, String) {
        let scripts = self.path("scripts");
        let args = args.iter().map(|arg| arg.strip_prefix('@').map_or_else(|| (*arg).to_owned(), |name| self.path(name)));
        let args: Vec<String> = ["eval", "--scripts", &scripts].map(str::to_owned).into_iter().chain(args).collect();
        let output = callgrade(&args.iter().map(String::as_str).collect::<Vec<_>>(), b"");
        let folder = format!("{}/", self.0.path().display());
        (output.status.code().unwrap_or(-1), stdout(&output), stderr(&output).replace(&folder, ""))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, output, errors) = self.eval(&[args, &["--output", "json"]].concat());
        assert_eq!((code, errors.as_str()), (0, ""));
        serde_json::from_str(&output).expect("one JSON object")
    }
}

fn desk() -> Desk {
    Desk::with(&[("calls.jsonl", CALLS), ("gold.jsonl", GOLD), ("utterances.jsonl", UTTERANCES)])
}

const OF_CALLS: [&str; 4] = ["--calls", "@calls.jsonl", "--gold", "@gold.jsonl"];
const OF_UTTERANCES: [&str; 2] = ["--utterances", "@utterances.jsonl"];

/// A share as JSON has it, to six digits.
fn figure(value: &Value) -> [f64; 4] {
    ["value", "low", "high", "of"].map(|name| (value[name].as_f64().expect(name) * 1e6).round() / 1e6)
}

#[test]
fn calls_as_json() {
    let report = desk().json(&OF_CALLS);
    assert_eq!(report["of"], "calls");
    assert_eq!(report["scripts"], json!([{"scriptId": "demo", "version": demo().0.version()}]));
    assert_eq!(report["parts"].as_array().map(Vec::len), Some(1));
    let whole = &report["parts"][0];
    assert_eq!((&whole["name"], &whole["items"], &whole["macroF1"]), (&json!("whole"), &json!(3), &Value::Null));
    // Two of three; Wilson's interval by hand: (2/3 + z²/6 ± z·√(2/27 + z²/36)) / (1 + z²/3).
    assert_eq!(figure(&whole["accuracy"]), [0.666_667, 0.207_660, 0.938_508, 3.0]);
    assert_eq!(whole["confusion"], json!({"names": ["A", "D"], "counts": [[1, 0], [1, 1]]}));
    let agrees: Vec<(&str, f64, f64)> = whole["agreement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signal| {
            (signal["signal"].as_str().unwrap(), signal["share"]["value"].as_f64().unwrap(), signal["share"]["of"].as_f64().unwrap())
        })
        .collect();
    assert_eq!(agrees[..3], [("ruleId", 0.5, 2.0), ("machine", 1.0, 1.0), ("refusals", 0.5, 2.0)]);
    let groups: Vec<&str> = whole["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(groups, ["turns", "questions", "invite"]);
    let price = &whole["groups"][0]["scores"][0];
    assert_eq!(price["id"], "ask:price");
    assert_eq!(["support", "right", "wrong", "missed"].map(|name| price[name].as_u64().unwrap()), [1, 1, 1, 0]);
    assert_eq!((price["precision"]["value"].as_f64(), price["recall"]["value"].as_f64()), (Some(0.5), Some(1.0)));
    assert_eq!(figure(&price["f1"])[0], 0.666_667);
    assert_eq!(report["hiddenErrors"], 0);
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 11);
    let turn = errors.iter().find(|error| error["item"] == "c2" && error["what"] == "turn").unwrap();
    assert_eq!(
        *turn,
        json!({"item": "c2", "what": "turn", "turn": 1, "text": "我没有兴趣的", "gold": "refuse", "found": "other", "evidence": [],
            "nearest": [{"category": "refuse", "phrase": "没兴趣", "similarity": 0.5}]})
    );
    let label = errors.iter().find(|error| error["what"] == "label").unwrap();
    assert_eq!(
        label["evidence"],
        json!([{"category": "refuse", "phrase": "不需要", "how": "exact"}, {"category": "price", "phrase": "多少钱", "how": "exact"}])
    );
}

#[test]
fn utterances_as_json() {
    let report = desk().json(&OF_UTTERANCES);
    let whole = &report["parts"][0];
    assert_eq!((&report["of"], &whole["items"]), (&json!("utterances"), &json!(9)));
    assert_eq!(figure(&whole["accuracy"])[0], 0.666_667);
    // (1 + 4/5 + 1/2) / 3
    assert_eq!(figure(&whole["macroF1"])[0], 0.766_667);
    assert_eq!(whole["confusion"]["names"], json!(["affirm", "refuse", "price", "other"]));
    assert_eq!(whole["confusion"]["counts"], json!([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 2, 1], [0, 1, 0, 2]]));
    let lines: Vec<&str> = report["errors"].as_array().unwrap().iter().map(|error| error["item"].as_str().unwrap()).collect();
    assert_eq!(lines, ["3", "5", "9"], "the lines of the file");
    // The mean over what is asked for alone.
    let some = desk().json(&[&OF_UTTERANCES[..], &["--macro", "price,refuse"]].concat());
    assert_eq!(figure(&some["parts"][0]["macroF1"])[0], 0.65);
    assert_eq!(desk().json(&OF_UTTERANCES), report, "the same intervals on every run");
}

#[test]
fn what_the_robot_said_before_matters() {
    let desk = Desk::with(&[(
        "utterances.jsonl",
        concat!(
            r#"{"text":"不用","category":"refuse","robot":"给您介绍一下可以吗"}"#,
            "\n",
            r#"{"text":"怎么办理的","category":"other","robot":""}"#,
            "\n",
            r#"{"text":"喂","category":"filler"}"#,
            "\n",
        ),
    )]);
    let output = callgrade(&["eval", "--utterances", &desk.path("utterances.jsonl"), "--output", "json"], b"");
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    // A list of utterances names no script: without --script it is telemarketing.
    assert_eq!(report["scripts"][0]["scriptId"], "telemarketing");
    let found =
        |line: &str| report["errors"].as_array().unwrap().iter().find(|error| error["item"] == line).map(|error| error["found"].clone());
    assert_eq!((found("1"), found("3")), (None, None), "{report}");
}

#[test]
fn a_page_complete_in_one_file() {
    for (args, title) in
        [(&OF_CALLS[..], "Calls against what people say of them"), (&OF_UTTERANCES, "Utterances against what people say of them")]
    {
        let (code, page, _) = desk().eval(&[args, &["--output", "html"]].concat());
        assert_eq!(code, 0);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"), "{page}");
        assert!(page.contains(&format!("<title>{title}</title>")) && page.contains(&format!("<h1>{title}</h1>")), "{page}");
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{outside} in {page}");
        }
        assert!(
            page.matches("<svg").count() >= 1 && page.matches("<svg").count() == page.matches(" role=\"img\"><title>").count(),
            "{page}"
        );
    }
    let (_, page, _) = desk().eval(&[&OF_UTTERANCES[..], &["--output", "html", "--lang", "zh"]].concat());
    for part in [
        "<html lang=\"zh\">",
        "<title>客户话语理解：与人工标注对照</title>",
        "不需要 &lt;script&gt;alert(1)&lt;/script&gt;",
        "<div>refuse「不需要」exact</div>",
        "<div>price「多少钱」50.0%</div>",
        "<title>分类 · F1</title>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let (_, page, _) = desk().eval(&[&OF_CALLS[..], &["--output", "html"]].concat());
    for part in ["<h3>Signals that agree</h3>", "<td>c2 #1</td>", "<td>我没有兴趣的</td>", "<title>turn by turn: categories · F1</title>"]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn what_is_set_aside_is_the_same_every_time_and_its_errors_are_hidden() {
    let desk = desk();
    let half = desk.json(&[&OF_UTTERANCES[..], &["--set-aside", "0.5"]].concat());
    let parts: Vec<(&str, u64)> =
        half["parts"].as_array().unwrap().iter().map(|part| (part["name"].as_str().unwrap(), part["items"].as_u64().unwrap())).collect();
    assert_eq!(parts, [("whole", 9), ("tuned", 4), ("setAside", 5)]);
    assert_eq!((half["errors"].as_array().unwrap().len(), &half["hiddenErrors"]), (1, &json!(2)));
    let options = Options { set_aside: 0.5, ..Options::default() };
    for error in half["errors"].as_array().unwrap() {
        assert!(!options.sets_aside(error["text"].as_str().unwrap()), "{error}");
    }
    // Whatever the order of the file, and whatever else is in it.
    let mut lines: Vec<&str> = UTTERANCES.lines().filter(|line| !line.contains("busy")).collect();
    lines.reverse();
    let turned = Desk::with(&[("utterances.jsonl", &lines.join("\n"))]).json(&[&OF_UTTERANCES[..], &["--set-aside", "0.5"]].concat());
    assert_eq!(turned["parts"][2]["confusion"], half["parts"][2]["confusion"]);
    // A larger share holds what a smaller one held.
    let more = Options { set_aside: 0.8, ..Options::default() };
    assert!(UTTERANCES.lines().all(|text| !options.sets_aside(text) || more.sets_aside(text)));

    let shown = desk.json(&[&OF_UTTERANCES[..], &["--set-aside", "0.5", "--show-set-aside"]].concat());
    assert_eq!((shown["errors"].as_array().unwrap().len(), &shown["hiddenErrors"]), (3, &json!(0)));
    assert_eq!(shown["parts"], half["parts"]);
    let (_, text, _) = desk.eval(&[&OF_UTTERANCES[..], &["--set-aside", "0.5"]].concat());
    assert!(text.contains("\n━━ not set aside · 4 utterances\n") && text.contains("\n━━ set aside · 5 utterances\n"), "{text}");
    assert!(text.contains("\n2 differences among the items set aside are not shown (--show-set-aside)\n"), "{text}");
    assert!(text.contains("没有兴趣") && !text.contains("<script>"), "{text}");
    let all = desk.json(&[&OF_CALLS[..], &["--set-aside", "1"]].concat());
    assert_eq!((&all["errors"], &all["hiddenErrors"]), (&json!([]), &json!(11)));
}

#[test]
fn calls_in_vcons() {
    let vcon = |uuid: &str, said: &str| {
        let text = |second: u32, party: u32, body: &str| json!({"type": "text", "start": format!("2026-03-02T10:00:{second:02}+08:00"), "parties": [party], "mediatype": "text/plain", "encoding": "none", "body": body});
        let parties = json!([{"name": "小易", "role": "agent"}, {"tel": "+8613800000000"}]);
        let dialog = [text(0, 0, "给您介绍一下可以吗"), text(5, 1, said)];
        json!({"vcon": "0.3.0", "uuid": uuid, "created_at": "2026-03-02T10:00:00+08:00", "parties": parties, "dialog": dialog}).to_string()
    };
    let lines = format!("{}\n{}\n", vcon("v1", "多少钱"), vcon("v2", "不需要"));
    let gold = "{\"callId\":\"v1\",\"label\":\"A\",\"asked\":[\"price\"]}\n{\"callId\":\"v2\",\"label\":\"A\"}\n";
    let desk = Desk::with(&[("calls.vcon", &lines), ("gold.jsonl", gold)]);
    for more in [&["--script", "demo"][..], &["--script", "demo", "--format", "vcon", "--robot-party", "小易"]] {
        let report = desk.json(&[&["--calls", "@calls.vcon", "--gold", "@gold.jsonl"], more].concat());
        assert_eq!(report["parts"][0]["confusion"], json!({"names": ["A", "D"], "counts": [[1, 1], [0, 0]]}), "{report}");
        assert_eq!(report["errors"][0]["item"], "v2");
    }
    let (code, _, errors) = desk.eval(&["--calls", "@calls.vcon", "--gold", "@gold.jsonl", "--script", "demo", "--robot-party", "小王"]);
    assert_eq!(
        (code, errors.as_str()),
        (
            2,
            "callgrade: calls.vcon:1: call \"v1\": robot party \"小王\" is none of the vCon's parties: 0 (小易), 1 (1)
callgrade: calls.vcon:2: call \"v2\": robot party \"小王\" is none of the vCon's parties: 0 (小易), 1 (1)
callgrade: there is nothing to measure
"
        )
    );
}
