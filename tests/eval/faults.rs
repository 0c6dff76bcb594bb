//! Files that are not as they should be, and options that do not go together.

use super::{CALLS, Desk, GOLD, OF_CALLS, OF_UTTERANCES, UTTERANCES};

#[test]
fn what_is_wrong_with_the_files_is_told_and_the_rest_is_measured() {
    let odd = concat!(
        r#"{"callId":"c1","label":"A"}"#,
        "\n",
        r#"{"callId":5}"#,
        "\n",
        "nonsense\n",
        r#"{"label":"A"}"#,
        "\n",
        r#"{"callId":"c1","label":"B"}"#,
        "\n",
        r#"{"callId":"c2","refusals":-1}"#,
        "\n",
        r#"{"callId":"c2","turns":[["refuze","ask:prise","other"]],"asked":["cost"]}"#,
        "\n",
        r#"{"callId":"c5","label":"D"}"#,
        "\n",
    );
    let calls = format!("{CALLS}{}\n", r#"{"callId":"c5","scriptId":"insurance","events":[]}"#) + r#"{"callId":"c6","scri"#;
    let desk = Desk::with(&[("calls.jsonl", &calls), ("gold.jsonl", odd)]);
    let (code, output, errors) = desk.eval(&OF_CALLS);
    assert_eq!(code, 1);
    assert_eq!(
        errors,
        r#"callgrade: gold.jsonl:2: callId: invalid type: integer `5`, expected a string at column 11
callgrade: gold.jsonl:3: expected ident at column 2
callgrade: gold.jsonl:4: missing field `callId` at column 13
callgrade: gold.jsonl:6: refusals: invalid value: integer `-1`, expected u32 at column 28
callgrade: calls.jsonl:5: call "c5": unknown script "insurance"; there are demo
callgrade: calls.jsonl:6: call "c6": not a call: EOF while parsing a string at line 1 column 20
"#
    );
    // Of c2 nobody says the label: it is neither right nor wrong.
    assert!(output.contains("\n━━ whole · 2 calls\nlabels right  1.000 [0.207–1.000]\n\ngold \\ found  A\nA             1\n"), "{output}");
    let notes: Vec<&str> = output.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(
        notes,
        [
            r#"note: "c1" is in the gold file more than once; the first counts"#,
            r#"note: "c5" is in the gold file, but not among the calls"#,
            r#"note: the gold file names "cost", which is no category or question of the script"#,
            r#"note: the gold file names "prise", which is no category or question of the script"#,
            r#"note: the gold file names "refuze", which is no category or question of the script"#,
            "note: calls that are not in the gold file, and so not measured: 2",
        ]
    );
    // Written by an editor that marks the byte order.
    let marked = Desk::with(&[("utterances.jsonl", "\u{FEFF}{\"text\":\"多少钱\",\"category\":\"price\"}\n{\"text\":\"多少钱\"}\n")]);
    let (code, output, errors) = marked.eval(&OF_UTTERANCES);
    assert_eq!((code, errors.as_str()), (1, "callgrade: utterances.jsonl:2: missing field `category` at column 20\n"));
    assert!(output.contains("whole · 1 utterances\ncategories right  1.000"), "{output}");
}

#[test]
fn what_cannot_be_measured_exits_with_2() {
    let desk = Desk::with(&[
        ("calls.jsonl", CALLS),
        ("gold.jsonl", GOLD),
        ("utterances.jsonl", UTTERANCES),
        ("empty", ""),
        ("busy", "{\"text\":\"在忙\",\"category\":\"busy\"}\n"),
    ]);
    for (args, expected) in [
        (&["--utterances", "@empty"][..], "callgrade: there is nothing to measure\n"),
        (&["--utterances", "@empty", "--lang", "zh"], "callgrade: 没有可以衡量的内容\n"),
        (&["--utterances", "@busy"], "callgrade: there is nothing to measure\n"),
        (&["--calls", "@empty", "--gold", "@gold.jsonl"], "callgrade: there is nothing to measure\n"),
        (&["--calls", "@calls.jsonl", "--gold", "@empty"], "callgrade: there is nothing to measure\n"),
        (&["--utterances", "@scripts"], "callgrade: scripts: is a directory; name the files in it\n"),
        (&["--calls", "@scripts", "--gold", "@gold.jsonl"], "callgrade: scripts: is a directory; name the files in it\n"),
        (&["--calls", "@calls.jsonl", "--gold", "@scripts"], "callgrade: scripts: is a directory; name the files in it\n"),
        (&["--utterances", "@nowhere"], "callgrade: nowhere: No such file or directory (os error 2)\n"),
        (&["--utterances", "@utterances.jsonl", "--set-aside", "1.5"], "callgrade: --set-aside is a share from 0 to 1, not 1.5\n"),
        (&["--utterances", "@utterances.jsonl", "--set-aside=-0.1"], "callgrade: --set-aside is a share from 0 to 1, not -0.1\n"),
        (&["--utterances", "@utterances.jsonl", "--set-aside", "NaN"], "callgrade: --set-aside is a share from 0 to 1, not NaN\n"),
        (
            &["--utterances", "@utterances.jsonl", "--macro", "price,refuze"],
            "callgrade: --macro: script \"demo\" has no category or question \"refuze\"\n",
        ),
        (&["--utterances", "@utterances.jsonl", "--script", "insurance"], "callgrade: unknown script \"insurance\"; there are demo\n"),
    ] {
        let (code, output, errors) = desk.eval(args);
        assert_eq!((code, output.as_str(), errors.as_str()), (2, "", expected), "{args:?}");
    }
    for (args, expected) in [
        (&[][..], "the following required arguments were not provided:\n  --calls <FILE>"),
        (&["--calls", "@calls.jsonl"], "the following required arguments were not provided:\n  --gold <FILE>"),
        (&["--utterances", "@utterances.jsonl", "--gold", "@gold.jsonl"], "cannot be used with"),
        (&["--calls", "@calls.jsonl", "--gold", "@gold.jsonl", "--macro", "price"], "cannot be used with"),
        (
            &["--utterances", "@utterances.jsonl", "--show-set-aside"],
            "the following required arguments were not provided:\n  --set-aside <SHARE>",
        ),
    ] {
        let (code, _, errors) = desk.eval(args);
        assert!(code == 2 && errors.contains(expected), "{args:?}: {errors}");
    }
}
