#[path="../benches/common/mod.rs"] mod common;
fn main(){ let s=common::sayings().unwrap(); let calls=common::calls(&s,300); let sc=common::script();
 for c in &calls { std::hint::black_box(callgrade::core::call::CallState::replay(&sc,c.clone())); }
 for i in 0..6 { println!("{i} {}", callgrade::core::lexicon::STAT[i].load(std::sync::atomic::Ordering::Relaxed) as f64/300.0); }
 let m=callgrade::core::lexicon::RUNS.lock().unwrap(); let mut v:Vec<_>=m.iter().collect(); v.sort_by_key(|x| std::cmp::Reverse(*x.1)); for (p,n) in v.iter().take(30) { println!("{:.2} {}", **n as f64/300.0, p); } }
