//! What is remembered, and how much.

use super::*;

fn name(tag: u64, rest: u64) -> Name {
    Name { tag, rest: NonZeroU64::new(rest).expect("a name") }
}

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
        Way::Customer => Reading::Customer(Kept::own(read_customer(&script, text, &mut scratch))),
        Way::Robot { recognise, timed } => Reading::Robot(Kept::own(read_robot(&script, text, recognise, timed, &mut scratch))),
    };
    let expected: Vec<Reading> = asked.iter().map(|(way, text)| fresh(*way, text)).collect();
    for _ in 0..4 {
        for ((way, text), expected) in asked.iter().zip(&expected) {
            assert_eq!(read(Words { script: &script, way: *way, text }), *expected, "{text}, {way:?}");
        }
        let mut readings = vec![Reading::None; asked.len()];
        let words = asked.iter().map(|(way, text)| Words { script: &script, way: *way, text });
        read_each(words.zip(&mut readings));
        assert_eq!(readings, expected);
    }
}

#[test]
fn what_is_said_a_third_time_is_not_read() {
    let common = Shelves::default();
    let [mut one, mut other] = [(); 2].map(|()| Recall::new(ROOMS[1]));
    let mut read = 0;
    for time in 0..6 {
        let thread = if time % 2 == 0 { &mut one } else { &mut other };
        let kept = recall(
            thread,
            &common,
            name(7, 1),
            |_| true,
            || {
                read += 1;
                time
            },
        );
        assert_eq!((kept.is_own(), *kept), (time == 0, time.min(1)));
    }
    assert_eq!(read, 2, "the first time nothing is kept, and the second time it is for all threads");
    assert_eq!(*recall(&mut one, &common, name(7, 2), |_| true, || 9), 9, "another text with the same tag");
    let large = || recall(&mut one, &common, name(8, 1), |_| false, || 0);
    assert!(std::iter::repeat_with(large).take(3).all(|kept| kept.is_own()), "nor what is too large");
}

#[test]
fn scripts_and_ways_of_reading_are_told_apart() {
    let (one, other) = (script(), crate::script::bundled("broadband").unwrap());
    let namer = Namer::chance();
    const ROBOT: Way = Way::Robot { recognise: false, timed: false };
    let name = |script, way, text| namer.name(Words { script, way, text });
    let names =
        [name(&one, Way::Customer, "嗯"), name(&other, Way::Customer, "嗯"), name(&one, ROBOT, "嗯"), name(&one, Way::Customer, "啊")];
    assert!((1..4).all(|later| !names[..later].contains(&names[later])), "{names:?}");
    assert_eq!(name(&one, Way::Customer, "嗯"), names[0]);
}

#[test]
fn it_grows_with_what_is_said_and_no_further() {
    let (mut thread, common) = (Recall::new(ROOMS[1]), Shelves::default());
    let mut chance = 1u64;
    let names: Vec<Name> = (0..200_000)
        .map(|_| {
            chance = chance.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            name(chance ^ chance >> 32, chance)
        })
        .collect();
    for name in names.iter().take(20_000).chain(&names[..20_000]).chain(&names) {
        assert_eq!(*recall(&mut thread, &common, *name, |_| true, || name.rest), name.rest);
    }
    let shelves: Vec<_> = common.0.into_iter().map(|shelf| shelf.into_inner().unwrap()).collect();
    assert_eq!(shelves.iter().map(|shelf| shelf.rooms.len()).sum::<usize>(), ROOMS[1]);
    for recall in shelves.iter().chain([&thread]) {
        assert_eq!(recall.tags, recall.rooms.iter().flat_map(|room| room.tags).filter(|tag| *tag != 0).count());
    }
    let kept = shelves.iter().flat_map(|shelf| &shelf.rooms).flat_map(|room| &room.readings).filter(|named| named.is_some()).count();
    assert!(kept > 12_000, "what was asked for again is not driven out by ten times as much that was not: {kept}");
}
