//! What is remembered, and how much.

use super::*;

fn script() -> Arc<Script> {
    crate::script::bundled("telemarketing").unwrap()
}

const SAID: [&str; 8] = ["多少钱", "不需要", "嗯", "我在开会，晚点再打", "加我微信吧", "", "今天天气不错", "要是不需要早挂了"];

#[test]
fn what_is_remembered_is_what_would_be_read() {
    let script = script();
    let mut scratch = Scratch::default();
    let ways = [false, true].into_iter().flat_map(|recognise| [false, true].map(|timed| Way::Robot { recognise, timed }));
    let asked: Vec<(Way, &str)> = ways.chain([Way::Customer]).flat_map(|way| SAID.into_iter().map(move |text| (way, text))).collect();
    let mut fresh = |way: Way, text: &str| match way {
        Way::Customer => Reading::Customer(Kept::Own(Box::new(read_customer(&script, text, &mut scratch)))),
        Way::Robot { recognise, timed } => Reading::Robot(Kept::Own(Box::new(read_robot(&script, text, recognise, timed, &mut scratch)))),
    };
    let expected: Vec<Reading> = asked.iter().map(|(way, text)| fresh(*way, text)).collect();
    for _ in 0..4 {
        for ((way, text), expected) in asked.iter().zip(&expected) {
            assert_eq!(read(&script, *way, text), *expected, "{text}, {way:?}");
        }
        let mut readings = vec![Reading::None; asked.len()];
        read_each(&script, asked.iter().zip(&mut readings).map(|((way, text), reading)| (*way, *text, reading)));
        assert_eq!(readings, expected);
    }
}

#[test]
fn what_is_said_a_third_time_is_not_read() {
    let mut recall = Recall::default();
    let mut read = 0;
    for time in 0..5 {
        let kept = recall.recall(
            Name { tag: 7, rest: 0 },
            |_| true,
            || {
                read += 1;
                time
            },
        );
        assert_eq!((matches!(kept, Kept::Own(_)), *kept), ([true, false, false, false, false][time], [0, 1, 1, 1, 1][time]));
    }
    assert_eq!(read, 2, "the first time nothing is kept");
    assert_eq!(*recall.recall(Name { tag: 7, rest: 1 }, |_| true, || 9), 9, "another text with the same tag");
    assert!((0..3).all(|_| matches!(recall.recall(Name { tag: 8, rest: 0 }, |_| false, || 0), Kept::Own(_))), "nor what is too large");
}

#[test]
fn scripts_and_ways_of_reading_are_told_apart() {
    let (one, other) = (script(), crate::script::bundled("broadband").unwrap());
    let namer = Namer::default();
    const ROBOT: Way = Way::Robot { recognise: false, timed: false };
    let names = [
        namer.name(&one, Way::Customer, "嗯"),
        namer.name(&other, Way::Customer, "嗯"),
        namer.name(&one, ROBOT, "嗯"),
        namer.name(&one, Way::Customer, "啊"),
    ];
    assert!((1..4).all(|later| !names[..later].contains(&names[later])), "{names:?}");
    assert_eq!(namer.name(&one, Way::Customer, "嗯"), names[0]);
}

#[test]
fn it_grows_with_what_is_said_and_no_further() {
    let mut recall = Recall::default();
    let mut chance = 1u64;
    let names: Vec<Name> = (0..200_000)
        .map(|_| {
            chance = chance.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            Name { tag: chance ^ chance >> 32, rest: chance }
        })
        .collect();
    for name in names.iter().take(20_000).chain(&names[..20_000]).chain(&names) {
        assert_eq!(*recall.recall(*name, |_| true, || name.rest), name.rest);
    }
    assert_eq!(recall.rooms.len(), ROOMS[1]);
    assert_eq!(recall.tags, recall.rooms.iter().flat_map(|room| room.tags).filter(|tag| *tag != 0).count());
    let kept = recall.rooms.iter().flat_map(|room| &room.readings).filter(|named| named.is_some()).count();
    assert!(kept > 12_000, "what was asked for again is not driven out by ten times as much that was not: {kept}");
}
