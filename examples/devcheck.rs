use callgrade::core::call::CallState;
use callgrade::ingest::{Limits, jsonl};
use callgrade::script::{Bundle, compile};
use std::collections::BTreeMap;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let scripts = Bundle::read_all(std::path::Path::new(&dir)).unwrap();
    let mut lib = BTreeMap::new();
    for b in scripts {
        match compile(&b) { Ok(s) => { lib.insert(s.id.to_string(), s); } Err(e) => println!("{e}") }
    }
    for s in lib.values() {
        let (mut n, mut bad) = (0, 0);
        for (p, t) in &s.files { if p.starts_with("cases/") {
            match callgrade::script::case::parse(t) { Err(e) => println!("{p}: {e}"), Ok(cases) => for c in cases {
                n += 1;
                match c.run(s) { Err(e) => {bad += 1; println!("{p}: {e}")}, Ok(d) if d.is_empty() => {}, Ok(d) => { bad += 1; println!("{} {p}: {:?}", s.id, c.name); for x in d { println!("     {x}"); } } }
            } }
        } }
        println!("{}: {} cases, {} bad; {} entries", s.id, n, bad, s.customer.entries().len());
    }
    let gold: BTreeMap<String, serde_json::Value> = std::fs::read_to_string("../shared/data/calls-dev.gold.jsonl").unwrap().lines().map(|l| { let v: serde_json::Value = serde_json::from_str(l).unwrap(); (v["callId"].as_str().unwrap().to_string(), v) }).collect();
    let (mut ok, mut all) = (0, 0);
    for l in std::fs::read_to_string("../shared/data/calls-dev.jsonl").unwrap().lines() {
        let mut c = jsonl::call(l.as_bytes(), &Limits::default()).unwrap();
        if std::env::args().nth(2).is_some() { for e in &mut c.events { if let callgrade::core::event::EventKind::Utterance(u) = &mut e.kind { u.node_id = "".into(); } } }
        let Some(s) = lib.get(&c.script_id) else { continue };
        let g = &gold[&c.call_id];
        let mut state = CallState::new(s.clone());
        for (i, e) in c.events.iter().enumerate() { state.push(i as u32 + 1, e.clone()); }
        state.close(callgrade::core::verdict::EndedBy::EndOfRecord);
        let v = state.verdict();
        let r = CallState::replay(s, c.events.clone());
        assert_eq!(v, r);
        let rule = v.rule.map_or("-", |r| &*s.rules[r].id);
        all += 1;
        let mut diffs = vec![];
        if rule == g["ruleId"].as_str().unwrap() { ok += 1 } else { diffs.push(format!("RULE {} want {}", rule, g["ruleId"])) }
        if let Some(x) = g.get("completion") { if (x.as_f64().unwrap() - v.signals.completion).abs() > 0.011 { diffs.push(format!("completion {} want {x}", v.signals.completion)); } }
        if let Some(x) = g.get("invite") { if x.as_str().unwrap() != v.signals.invite_str() { diffs.push(format!("invite {} want {x}", v.signals.invite_str())); } }
        let mut asked: Vec<String> = s.names_of(v.signals.asked).map(str::to_owned).collect(); asked.sort();
        if let Some(x) = g.get("asked") { let w: Vec<String> = x.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect(); if w != asked { diffs.push(format!("asked {asked:?} want {w:?}")); } }
        if let Some(turns) = g.get("turns").and_then(|t| t.as_array()) { if !v.signals.machine() {
            let tv = state.turns();
            let mut texts: Vec<String> = vec![String::new(); tv.len()];
            for (i, e) in c.events.iter().enumerate() { if let (Some(t), callgrade::core::event::EventKind::Utterance(u)) = (state.turn_of(i as u32), &e.kind) { texts[t] += &u.text; texts[t] += " / "; } }
            if tv.len() != turns.len() { diffs.push(format!("turns {} want {}", tv.len(), turns.len())); }
            for (i, (t, want)) in tv.iter().zip(turns).enumerate() {
                let mut got: Vec<String> = t.concepts.iter().map(|c| { let c = &s.concepts[c as usize]; if c.question { format!("ask:{}", c.id) } else { c.id.to_string() } }).filter(|c| ["refuse","busy","contact","do_not_call","not_available","wrong_person","have_already","affirm","deny"].contains(&c.as_str()) || c.starts_with("ask:")).collect();
                if !t.content { got.push("filler".into()) }
                got.sort();
                let mut want: Vec<String> = want.as_array().unwrap().iter().map(|x| x.as_str().unwrap().to_owned()).filter(|c| c != "other" && c != "identity").collect(); want.sort();
                if got != want { diffs.push(format!("   {:?}: got {} want {}", texts[i], got.join(","), want.join(","))); }
            }
        } }
        if !diffs.is_empty() { println!("{} {}", c.call_id, diffs.join("\n    ")); }
    }
    println!("labels {ok}/{all}");
}
