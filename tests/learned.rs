//! Learned intents: what examples teach, what outranks it, how it explains itself, and that it is the same at every door.

use std::sync::{Arc, OnceLock};

use callgrade::core::call::CallState;
use callgrade::core::event::{Event, Party};
use callgrade::core::learned::logistic;
use callgrade::core::lexicon::Scratch;
use callgrade::core::reading::read_customer;
use callgrade::core::script::Script;
use callgrade::core::verdict::EndedBy;
use callgrade::ingest::Limits;
use callgrade::script::ScriptChoice;
use callgrade::script::train::{self, MODEL, Trained, model};
use callgrade::script::{Bundle, Library, compile};
use callgrade::service::{Head, Outbox, Patience, Service, StreamEvent};
use callgrade::wire::v1::stream_calls_response::Response;
use callgrade::wire::{self, CallHead, v1};
use proptest::prelude::*;
use prost::Message;

use crate::script_load::{Demo, demo};
use crate::support::{
    CallBuilder, TestServer, block_on, call_message, callgrade, comparable, stderr, stdout, stream_message, take_in, write_bundle,
};

const OPENINGS: [&str; 8] = ["那", "请问", "哦 ", "你们这个", "我想问一下 ", "老板 ", "对了 ", ""];
const PRICE: [&str; 8] =
    ["一年要交多少", "一个月几块", "开销大不大", "报个价我听听", "费用高不高", "收不收费用", "要花几个钱", "怎么个算法"];
const REFUSE: [&str; 8] = ["用不上", "暂时没那个打算", "先不考虑", "不太想弄", "我们这不做这个", "算了吧", "没必要搞", "弄不了这个"];
const OTHER: [&str; 8] = ["你说什么", "信号不太好", "声音小一点", "我听不清", "今天天气不错", "孩子放学了", "刚吃完饭", "在路上走着"];
/// No list finds it, it is no example, and it is like one.
const SAID: &str = "我这暂时没那个打算";

/// Every opening with every one of these.
fn examples(words: &[&str]) -> String {
    OPENINGS.iter().flat_map(|opening| words.iter().map(move |words| format!("{opening}{words}\n"))).collect()
}

fn untrained() -> Demo {
    demo()
        .with_file("examples/price.txt", &examples(&PRICE))
        .with_file("examples/refuse.txt", &examples(&REFUSE))
        .with_file("examples/other.txt", &examples(&OTHER))
}

fn train(demo: &Demo) -> Trained {
    train::train(&demo.0).unwrap_or_else(|error| panic!("{error}"))
}

fn with_model(demo: Demo) -> Demo {
    let text = model::write(&train(&demo));
    demo.with_file(MODEL, &text)
}

/// The demo, with examples and the model that they give.
pub(crate) fn trained() -> Demo {
    static TEXT: OnceLock<String> = OnceLock::new();
    let demo = untrained();
    let text = TEXT.get_or_init(|| model::write(&train(&demo)));
    demo.with_file(MODEL, text)
}

fn script(demo: &Demo) -> Arc<Script> {
    compile(&demo.0).unwrap_or_else(|error| panic!("{error}"))
}

fn saying(texts: &[&str]) -> Vec<Event> {
    texts.iter().fold(CallBuilder::new().answered(), |call, text| call.customer(text)).hangup(Party::Customer).build()
}

fn verdict(script: &Arc<Script>, events: &[Event]) -> v1::Verdict {
    let verdict = CallState::replay(script, events.to_vec());
    wire::verdict(script, CallHead { call_id: "c", revision: 1, notices: &[] }, &verdict)
}

/// What speaks for categories in the words of a customer who says only this.
fn evidence(script: &Arc<Script>, text: &str) -> Vec<v1::Evidence> {
    verdict(script, &saying(&[text])).evidence.into_iter().filter(|evidence| !evidence.category.is_empty()).collect()
}

fn learned(script: &Arc<Script>, text: &str) -> Option<v1::Evidence> {
    evidence(script, text).into_iter().find(|evidence| evidence.r#match() == v1::Match::Learned)
}

#[test]
fn training_gives_the_same_bytes_every_time() {
    let demo = untrained();
    let (first, again) = (model::write(&train(&demo)), model::write(&train(&demo)));
    assert_eq!(first, again);
    // Nor does a model that is there already change what the examples give.
    assert_eq!(model::write(&train(&demo.with_file(MODEL, &first))), first);
}

#[test]
fn a_turn_that_no_list_finds_is_told_by_its_likeness_to_examples() {
    let demo = trained();
    let script = script(&demo);
    let found = evidence(&script, SAID);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = &found[0];
    assert_eq!((found.signal.as_str(), found.category.as_str(), found.r#match()), ("refusals", "refuse", v1::Match::Learned));
    assert_eq!((found.start, found.end), (0, SAID.chars().count() as u32), "the whole utterance");
    let class = train(&untrained()).classes.into_iter().find(|class| class.id == "refuse").unwrap();
    let threshold = f64::from(logistic(class.calibration.least));
    assert!(threshold < found.score && found.score <= 1.0, "{} against {threshold}", found.score);
    assert!((1..=4).contains(&found.grams.len()), "{:?}", found.grams);
    assert!(found.grams.iter().all(|gram| SAID.contains(gram.trim_matches('_'))), "{:?}", found.grams);
    assert!(examples(&REFUSE).lines().any(|example| example == found.phrase), "{:?}", found.phrase);
    let verdict = verdict(&script, &saying(&[SAID]));
    assert_eq!((verdict.label.as_str(), verdict.rule_id.as_str(), verdict.signals.unwrap().refusals), ("D", "D1", 1));
}

#[test]
fn what_a_list_finds_outranks_what_was_learned() {
    let script = script(&trained());
    let found = evidence(&script, &format!("{SAID} 多少钱"));
    let told: Vec<_> = found.iter().map(|found| (found.category.as_str(), found.r#match())).collect();
    assert_eq!(told, [("price", v1::Match::Exact)]);
    // What a list excepts, or a cue takes back, still looks like an example.
    assert_eq!(evidence(&script, "不需要吗 一个月几块"), []);
}

#[test]
fn a_category_can_be_switched_off() {
    let off = |demo: Demo| {
        let text = format!("@learned off\n{}", examples(&REFUSE));
        demo.with_file("examples/refuse.txt", &text)
    };
    // At once, though the model was trained with it, and for good when it is trained anew.
    for demo in [off(trained()), with_model(off(untrained()))] {
        let script = script(&demo);
        assert_eq!(learned(&script, SAID), None);
        assert_eq!(learned(&script, "那要花几个钱").map(|found| found.category), Some("price".to_owned()));
    }
    assert!(train(&off(untrained())).classes.iter().all(|class| class.id != "refuse"));
}

#[test]
fn a_higher_precision_finds_no_more() {
    // Of these every second is a price, and nothing tells which.
    let doubtful = |odd: usize| -> String {
        let words = ["几块合适", "交多少合适", "一共几个数", "大概什么数"];
        let all = OPENINGS.iter().enumerate().flat_map(|(place, opening)| words.iter().zip(place..).map(move |words| (opening, words)));
        all.filter(|(_, (_, place))| place % 2 == odd).map(|(opening, (words, _))| format!("{opening}{words}\n")).collect()
    };
    let (price, other) = (examples(&PRICE) + &doubtful(0), examples(&OTHER) + &doubtful(1));
    let wanting = |precision: &str| {
        let demo = untrained().with_file("examples/other.txt", &other);
        with_model(demo.with_file("examples/price.txt", &format!("@precision {precision}\n{price}")))
    };
    let (low, high) = (wanting("0.6"), wanting("0.99"));
    let class = |demo: &Demo| train(demo).classes.into_iter().find(|class| class.id == "price").unwrap();
    let (easy, strict) = (class(&low), class(&high));
    assert!(easy.precision >= 0.6 && strict.precision >= 0.99, "{easy:?} {strict:?}");
    assert!(easy.calibration.least < strict.calibration.least, "{easy:?} {strict:?}");
    assert!(strict.missed.1 < easy.missed.1, "{easy:?} {strict:?}");
    let (low, high) = (script(&low), script(&high));
    let texts = price + &other;
    let found = |script: &Arc<Script>| texts.lines().filter(|text| learned(script, text).is_some_and(|e| e.category == "price")).count();
    assert!(found(&high) < found(&low), "{} {}", found(&high), found(&low));
    for text in texts.lines().filter(|text| learned(&high, text).is_some_and(|found| found.category == "price")) {
        assert!(learned(&low, text).is_some(), "{text}");
    }
}

#[test]
fn a_nearer_counterexample_rules_it_out() {
    let text = "那一年要交多少 费用高不高";
    let demo = trained();
    let found = learned(&script(&demo), text).expect("it is like an example");
    assert_eq!((found.category.as_str(), found.phrase.as_str()), ("price", "那一年要交多少"));
    // The same weights; only what is nearest has changed.
    let ruled_out = script(&demo.with("examples/price.txt", "", &format!("! {text}\n")));
    assert_eq!(learned(&ruled_out, text), None);
    assert!(learned(&ruled_out, "那一年要交多少").is_some());
}

#[test]
fn verdicts_name_the_model_and_the_version_depends_on_it() {
    let events = saying(&[SAID]);
    let (bare, with) = (script(&demo()), script(&trained()));
    assert_eq!(verdict(&bare, &events).model_hash, "");
    let hash = verdict(&with, &events).model_hash;
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    assert_eq!(verdict(&with, &saying(&["多少钱"])).model_hash, hash, "whether it was needed or not");

    let version = |demo: &Demo| demo.0.version();
    let before = version(&trained());
    assert_ne!(version(&untrained()), before, "without the model");
    assert_ne!(version(&trained().with(MODEL, "unseen 5", "unseen 6")), before, "another model");
    assert_ne!(version(&trained().with("examples/price.txt", "", "一共几块\n")), before, "another example");
    assert_eq!(
        version(&trained().with("cases/rules.yaml", "- name: 问价格", "- name: 问价钱")),
        before,
        "a case proves, it does not decide"
    );
    assert_eq!(version(&trained().with_file("examples/README.md", "谁写的\n")), before, "nor does a note");
}

#[test]
fn every_door_gives_the_same_evidence() {
    let demo = trained();
    let script = script(&demo);
    let events = CallBuilder::new()
        .answered()
        .robot("opening", "您好，这里是云拨智能，给您介绍一下可以吗？")
        .customer("我想问一下 收不收费用")
        .robot("product", "我们的电话机器人一天能打一千个电话。")
        .customer(SAID)
        .hangup(Party::Customer)
        .build();
    let expected = comparable(&verdict(&script, &events));
    assert_eq!(expected.evidence.iter().filter(|evidence| evidence.r#match() == v1::Match::Learned).count(), 2, "{expected:?}");

    let mut live = CallState::new(Arc::clone(&script));
    for (place, event) in events.iter().enumerate() {
        live.push(place as u32 + 1, event.clone());
        let mut ended = live.clone();
        ended.close(EndedBy::EndOfRecord);
        assert_eq!(ended.verdict(), CallState::replay(&script, events[..=place].to_vec()));
    }

    // Written straight to bytes as the generated messages have it.
    let library = Library::compile(std::slice::from_ref(&demo.0)).unwrap();
    let service = Service::new(ScriptChoice::new(library.clone(), None).unwrap(), Limits::default(), Patience::default());
    let owner = Arc::new(Outbox::default());
    let messages = (1..).zip(&events).map(|(seq, event)| StreamEvent {
        call_id: "c".to_owned(),
        seq,
        head: Some(Box::new(Head { script_id: "demo".to_owned(), ..Head::default() })),
        event: Some(Ok(event.clone())),
        ..StreamEvent::default()
    });
    let told = take_in(&service, &owner, messages);
    let mut last = told.iter().rev().filter_map(|told| {
        let mut bytes = Vec::new();
        told.encode(&mut bytes);
        match v1::StreamCallsResponse::decode(&*bytes).expect("the bytes of an answer").response {
            Some(Response::Verdict(verdict)) if verdict.r#final => Some(*verdict),
            _ => None,
        }
    });
    assert_eq!(last.next().as_ref().map(comparable), Some(expected.clone()));

    block_on(async {
        let mut server = TestServer::start_with(library, Patience::default(), Limits::default()).await;
        let mut client = server.client().await;
        let call = Some(call_message("c", "demo", &events));
        let whole = client.grade_call(v1::GradeCallRequest { call }).await.expect("graded").into_inner();
        assert_eq!(whole.verdict.as_ref().map(comparable), Some(expected.clone()));
        let messages: Vec<_> = (1..).zip(&events).map(|(seq, event)| stream_message("c", "demo", seq, event)).collect();
        let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await.expect("an answer") {
            if let Some(Response::Verdict(verdict)) = answer.response {
                last = Some(comparable(&verdict));
            }
        }
        assert_eq!(last, Some(expected));
        server.stopped().await;
    });
}

#[test]
fn the_program_trains_checks_and_explains() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().display().to_string();
    let demo = untrained();
    write_bundle(&demo.0, folder.path());
    let train = |args: &[&str]| callgrade(&[&["script", "train", "--scripts", &scripts], args].concat(), b"");
    let table = "demo
category  examples  counterexamples  missed by lists  found  precision  from probability
refuse    64        0                64               64     1.000      0.830
price     64        0                64               64     1.000      0.939

";
    let output = train(&["--check"]);
    let stale = "demo: model.txt is not what the examples give; run `callgrade script train`\n";
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), format!("{table}{stale}")));
    assert!(!folder.path().join("demo").join(MODEL).exists(), "--check writes nothing");
    let output = train(&["demo"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), table));
    assert_eq!(std::fs::read_to_string(folder.path().join("demo").join(MODEL)).unwrap(), trained().0.files[MODEL]);
    let output = train(&["--check"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), table));

    let call = serde_json::to_string(&call_message("c", "demo", &saying(&[SAID]))).unwrap();
    for (lang, line) in [
        ("en", "customer  我这暂时没那个打算(like the example \"哦 暂时没那个打算\" 100%, by 没 算 打 时)  〈refuse〉"),
        ("zh", "客户      我这暂时没那个打算(像例句「哦 暂时没那个打算」100%，凭 没 算 打 时)  〈拒绝〉"),
    ] {
        let output = callgrade(&["explain", "-", "c", "--scripts", &scripts, "--lang", lang], call.as_bytes());
        assert!(stdout(&output).contains(line), "{}{}", stdout(&output), stderr(&output));
    }

    let price = folder.path().join("demo/examples/price.txt");
    std::fs::write(&price, examples(&PRICE) + "我来问 一共几块\n").unwrap();
    let output = train(&["--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).ends_with(&format!("\n\n{stale}")), "{}", stdout(&output));
    let output = train(&["--check", "--lang", "zh"]);
    assert!(stdout(&output).ends_with("\n\ndemo：model.txt 和例句对不上，请运行 callgrade script train\n"), "{}", stdout(&output));

    let output = train(&["domo"]);
    let told = format!("callgrade: no script \"domo\" in {scripts}; there are demo\n");
    assert_eq!((output.status.code(), stderr(&output)), (Some(2), told));
    std::fs::remove_dir_all(folder.path().join("demo/examples")).unwrap();
    let output = train(&[]);
    let told = "callgrade: no examples to learn from: examples/<category>.txt, one utterance a line\n";
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(2), told));
}

#[test]
fn the_bundled_models_know_the_bundled_examples() {
    for bundle in Bundle::bundled() {
        let file = model::read(&bundle.files[MODEL]).unwrap_or_else(|line| panic!("{}/{MODEL}:{line}", bundle.name));
        assert_eq!(file.examples, train::examples_hash(&bundle), "{}: run `callgrade script train --scripts scripts`", bundle.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_taken_for_one_thing_or_none(
        texts in prop::collection::vec(("\\PC{0,30}", prop::sample::select(&REFUSE[..]), "\\PC{0,4}"), 1..4),
    ) {
        static SCRIPT: OnceLock<Arc<Script>> = OnceLock::new();
        let script = SCRIPT.get_or_init(|| script(&trained()));
        let mut used = Scratch::default();
        for (before, like, after) in texts {
            for text in [before.clone(), format!("{before}{like}{after}"), format!("{like}{after}")] {
                let reading = read_customer(script, &text, &mut used);
                prop_assert_eq!(&reading, &read_customer(script, &text, &mut Scratch::default()), "the same text, the same answer");
                if let Some(learned) = reading.learned {
                    prop_assert!(reading.hits.is_empty() && learned.score > 0.5 && learned.score <= 1.0, "{:?}", learned);
                    let example = script.learned.as_ref().and_then(|model| model.example(learned.example)).expect("an example");
                    prop_assert!(example.concept == learned.concept && !example.counter);
                }
            }
        }
    }
}
