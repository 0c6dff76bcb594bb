"""What one would otherwise write: the same grading in plain Python, over the same scripts.

    python grade.py --calls CALLS.jsonl --gold GOLD.jsonl --matcher re|ac    agreement with the labels
    python grade.py --bench CALLS.jsonl --matcher re|ac --rounds N           median µs a call

NFKC and lower case, the lists of scripts/ with anchors, exceptions and patterns, turns and signals, the scripts' own
rules. Left out: recogniser noise inside phrases, homophones, traditional characters, evidence, follow-up, notices, live
grading. What is tuned: one match pass a text, patterns only where a literal of theirs occurs, robot lines read for what
is needed of them. Nothing is cached between texts: real callers do not repeat each other's sentences, a benchmark's do.
"""

import argparse
import collections
import gc
import json
import pathlib
import re
import statistics
import sys
import time
import unicodedata

try:
    from re import _constants as sre_constants, _parser as sre_parser
except ImportError:  # before Python 3.11
    import sre_constants
    import sre_parse as sre_parser

import yaml

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
HESITATION = "嗯呃啊额哎唉诶哦噢喔"
BEFORE_START = " " + HESITATION  # what may precede a phrase that must begin a clause
AFTER_END = " " + HESITATION + "哈呀哟"
GAPS = re.compile(r"[^\w%+]+|_+")


def normalise(text):
    """NFKC, lower case, each run of spaces and punctuation one space: a clause's end."""
    return GAPS.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()


# ---------------------------------------------------------------- lists

Phrase = collections.namedtuple("Phrase", "text start end exception")
Pattern = collections.namedtuple("Pattern", "text exception")


class WordList:
    """A list as QA staff write it."""

    def __init__(self, name, lines, group=None):
        self.name, self.group = name, group
        self.phrases, self.patterns = [], []
        for line in lines:
            line = re.sub(r"(^|\s)#.*", "", line).strip()
            if not line or line.startswith("@"):
                continue
            exception = line[0] in "!！"
            if exception:
                line = line[1:].strip()
            if len(line) > 2 and line[0] == line[-1] == "/":
                self.patterns.append(Pattern(line[1:-1], exception))
                continue
            start, end = line.startswith("^"), line.endswith("$")
            text = normalise(line.lstrip("^").rstrip("$"))
            if text:
                self.phrases.append(Phrase(text, start, end, exception))


def read_list(folder, name, group=None):
    path = folder / "keywords" / f"{name}.txt"
    return WordList(name, path.read_text("utf-8").splitlines() if path.exists() else [], group)


def literals(pattern):
    """Literals of which every match holds at least one; None if there are none worth looking for."""

    def of(parsed):
        best, run = None, ""
        for op, arg in list(parsed) + [(None, None)]:
            if op is sre_constants.LITERAL and arg != 32:
                run += chr(arg)
                continue
            found = [{run}] if run else []
            run = ""
            if op is sre_constants.SUBPATTERN:
                found.append(of(arg[3]))
            elif op is sre_constants.BRANCH:
                parts = [of(part) for part in arg[1]]
                found.append(set().union(*parts) if all(parts) else None)
            elif op is sre_constants.MAX_REPEAT and arg[0] > 0:
                found.append(of(arg[2]))
            elif op is sre_constants.IN and all(kind is sre_constants.LITERAL for kind, _ in arg):
                found.append({chr(char) for _, char in arg})
            for some in filter(None, found):
                if best is None or worth(some) > worth(best):
                    best = some
        return best

    def worth(some):
        return min(map(len, some)), -len(some)

    found = of(sre_parser.parse(pattern))
    return found if found and len(found) <= 64 else None


# ---------------------------------------------------------------- matchers


class Matcher:
    """Finds what several lists hold in a normalised text: [(start, end, list)], exceptions and rivals resolved."""

    def __init__(self, lists):
        self.lists = lists
        groups = collections.Counter(each.group for each in lists if each.group)
        # Only lists with a rival need to be compared.
        self.group = [each.group if groups[each.group] > 1 else None for each in lists]

    def find(self, text):
        hits, exceptions = self.raw(text)
        if exceptions and hits:
            hits = [
                hit for hit in hits
                if not any(number == hit[2] and start <= hit[0] and hit[1] <= end for start, end, number in exceptions)
            ]  # fmt: skip
        if len(hits) > 1:
            group = self.group
            rivals = [hit for hit in hits if group[hit[2]]]
            if len(rivals) > 1:
                beaten = {hit for hit in rivals if any(beats(rival, hit, group) for rival in rivals)}
                if beaten:
                    hits = [hit for hit in hits if hit not in beaten]
        return hits


def beats(rival, hit, group):
    start, end, number = rival
    return (
        number != hit[2]
        and group[number] == group[hit[2]]
        and start <= hit[0]
        and hit[1] <= end
        and (end - start > hit[1] - hit[0] or number < hit[2])
    )


def alternation(texts):
    return "|".join(sorted(texts, key=lambda text: (-len(text), text)))


def by_first(texts, before=""):
    """One alternation, grouped by first character: the regex engine skips by it, and looks at few branches, not at hundreds.

    `before` is a class that must not precede the first character; it stands behind it so as not to hinder the skipping.
    """
    groups = collections.defaultdict(set)
    for text in texts:
        groups[text[0]].add(text[1:])
    parts = []
    for first, rests in sorted(groups.items()):
        first = re.escape(first)
        parts.append(f"{first}{f'(?<!{before}{first})' if before else ''}(?:{alternation(map(re.escape, rests))})")
    return "|".join(parts)


def compiled_patterns(words):
    """Each pattern by itself: it is skipped by its first characters, in one alternation with others it is not."""
    return [(re.compile(pattern.text).finditer, pattern.exception, literals(pattern.text)) for pattern in words.patterns]


class ReMatcher(Matcher):
    """One alternation a list, the longest phrase first; patterns where a literal of theirs occurs."""

    def __init__(self, lists):
        super().__init__(lists)
        self.steps, self.patterns = [], []
        for number, words in enumerate(lists):
            excepted = frozenset(phrase.text for phrase in words.phrases if phrase.exception)
            # Anchored ones and Latin words look around them and stand apart: the others are skipped by first character.
            plain, anchored = [], []
            for phrase in words.phrases:
                text = phrase.text
                if not (phrase.start or phrase.end or text[0].isascii() or text[-1].isascii()):
                    plain.append(text)
                    continue
                before = f"[^{BEFORE_START}]" if phrase.start else "[a-z0-9]" if text[0].isascii() else ""
                after = f"(?![^{AFTER_END}])" if phrase.end else "(?![a-z0-9])" if text[-1].isascii() else ""
                anchored.append((before, text, after))
            if plain:
                self.steps.append((number, re.compile(by_first(plain)).finditer, excepted))
            for around in sorted({(before, after) for before, _, after in anchored}):
                texts = by_first((text for before, text, after in anchored if (before, after) == around), around[0])
                self.steps.append((number, re.compile(f"(?:{texts}){around[1]}").finditer, excepted))
            self.patterns += [(number, *pattern) for pattern in compiled_patterns(words)]

    def raw(self, text):
        hits, exceptions = [], []
        for number, finditer, excepted in self.steps:
            for match in finditer(text):
                (exceptions if match.group() in excepted else hits).append((*match.span(), number))
        for number, finditer, exception, needed in self.patterns:
            if needed is None or any_in(needed, text):
                for match in finditer(text):
                    (exceptions if exception else hits).append((*match.span(), number))
        return hits, exceptions


def any_in(literals, text):
    for literal in literals:
        if literal in text:
            return True
    return False


class AcMatcher(Matcher):
    """One automaton of all phrases of all lists; patterns run where a literal of theirs was found."""

    def __init__(self, lists):
        import ahocorasick

        super().__init__(lists)
        values = collections.defaultdict(list)
        self.always, self.patterns = [], []
        for number, words in enumerate(lists):
            for phrase in words.phrases:
                text = phrase.text
                before = BEFORE_START if phrase.start else None
                after = AFTER_END if phrase.end else None
                value = (len(text), number, phrase.exception, before, after, text[0].isascii(), text[-1].isascii())
                if value not in values[text]:
                    values[text].append(value)
            for finditer, exception, needed in compiled_patterns(words):
                index = len(self.patterns)
                self.patterns.append((number, finditer, exception))
                if needed is None:
                    self.always.append(index)
                for literal in needed or ():
                    values[literal].append(index)
        self.automaton = ahocorasick.Automaton()
        for text, entries in values.items():
            phrases = tuple(entry for entry in entries if not isinstance(entry, int))
            triggers = tuple(entry for entry in entries if isinstance(entry, int))
            self.automaton.add_word(text, (phrases, triggers))
        if values:
            self.automaton.make_automaton()

    def raw(self, text):
        hits, exceptions, patterns = [], [], set(self.always)
        if not len(self.automaton):
            return hits, exceptions
        last = len(text)
        for at, (phrases, triggers) in self.automaton.iter(text):
            end = at + 1
            if triggers:
                patterns.update(triggers)
            for length, number, exception, before, after, latin_before, latin_after in phrases:
                start = end - length
                if before and start and text[start - 1] not in before:
                    continue
                if after and end < last and text[end] not in after:
                    continue
                if latin_before and start and is_latin(text[start - 1]) or latin_after and end < last and is_latin(text[end]):
                    continue
                (exceptions if exception else hits).append((start, end, number))
        for index in patterns:
            number, finditer, exception = self.patterns[index]
            for match in finditer(text):
                (exceptions if exception else hits).append((*match.span(), number))
        return hits, exceptions


def is_latin(char):
    return char != " " and char.isascii()


MATCHERS = {"re": ReMatcher, "ac": AcMatcher}

# ---------------------------------------------------------------- scripts

Node = collections.namedtuple("Node", "id main weight invite after asks branches")
NO_NODE = Node(None, None, 0, False, None, "none", {})


class Script:
    def __init__(self, folder, matcher):
        spec = yaml.safe_load((folder / "script.yaml").read_text("utf-8"))
        self.id = spec["id"]
        self.rate = spec["settings"].get("speaking_rate", 4.5)
        self.settings = spec["settings"]
        self.nodes = {}
        main = 0
        for node in spec["flow"]["nodes"]:
            in_main = node.get("main", False)
            branches = {str(k): v if isinstance(v, list) else [v] for k, v in (node.get("branches") or {}).items()}
            self.nodes[node["id"]] = Node(
                node["id"], main if in_main else None, node.get("weight", 1), node.get("invite", False),
                node.get("after"), node.get("asks", "none"), branches,
            )  # fmt: skip
            main += in_main
        self.main_flow = [node.id for node in self.nodes.values() if node.main is not None]
        aliases = spec.get("aliases") or {}
        self.node_of = {**(aliases.get("nodes") or {}), **{name: name for name in self.nodes}}

        lexicon = spec["lexicon"]
        self.categories, self.questions = list(lexicon["categories"]), frozenset(lexicon["questions"])
        concepts = self.categories + list(lexicon["questions"])
        self.concept_of = {**(aliases.get("categories") or {}), **{name: name for name in concepts}}
        groups = {name: f"opposite {n}" for n, names in enumerate(lexicon.get("opposite") or []) for name in names}
        groups.update((name, "questions") for name in self.questions)
        helpers = ["answer/yes", "answer/goodbye", "answer/time", "machine/switchboard", "machine/voicemail", "machine/assistant"]
        self.names = concepts + helpers
        self.customer = matcher([read_list(folder, name, groups.get(name)) for name in self.names])
        self.asks = matcher([read_list(folder, f"robot/{name}") for name in ASKS])
        self.contact = matcher([read_list(folder, "robot/contact")])
        self.cue_nodes = [node["id"] for node in spec["flow"]["nodes"]]
        self.cues = matcher([WordList(node["id"], node.get("cues") or []) for node in spec["flow"]["nodes"]])

        rules = [(rule, compile(to_python(rule["when"]), rule["id"], "eval")) for rule in spec["rules"]]
        self.rules = [(rule["id"], rule["label"], code) for rule, code in rules if not rule.get("catch_all")]
        self.rules += [(rule["id"], rule["label"], code) for rule, code in rules if rule.get("catch_all")]

    def decide(self, signals):
        for rule, label, code in self.rules:
            if eval(code, NO_BUILTINS, signals):  # the script's own rules, compiled when it was loaded
                return label, rule
        return "", ""


ASKS = ["offer", "question", "open"]
NO_BUILTINS = {"__builtins__": {}}


def to_python(cel):
    """The part of CEL that rules are written in, as Python."""
    cel = re.sub(r"\bsettings\.(\w+)", r'settings["\1"]', cel)
    cel = re.sub(r"!(?!=)", " not ", cel.replace("&&", " and ").replace("||", " or "))
    return re.sub(r"\btrue\b", "True", re.sub(r"\bfalse\b", "False", cel)).strip()


# ---------------------------------------------------------------- dial results

ANNOUNCEMENTS = [(re.compile(pattern), result) for pattern, result in [
    (r"您的(电话|手机|号码|账户).{0,6}(欠费|停机|限制|余额)|本机.{0,4}(欠费|停机)|呼出限制|限制呼出|您已欠费", "failed"),
    (r"关机|未开机|poweredoff|poweroff|switchedoff|turnedoff", "powered_off"),
    (r"停机|欠费|暂停服务|停止服务|呼入限制|限制呼入|保号|suspended|outofservice(?!area)|notinservice(?!area)", "suspended"),
    (r"空号|不存在|未启用|已过期|号码有误|号码错误|拨号方式|改号|改为|已注销|未分配|notexist|emptynumber|notinuse|invalidnumber|incorrect",
     "invalid_number"),
    (r"通话中|正在通话|正忙|占线|用户忙|busynow|isbusy|onthephone", "busy"),
    (r"无人接|没有?人接|无人应答|无应答|未应答|noanswer|notanswer", "no_answer"),
    (r"拒接|拒绝|不方便接|notconvenient|reject|decline", "rejected"),
    (r"不在服务区|没有信号|servicearea", "unreachable"),
    (r"网络忙|网络繁忙|网络故障|系统忙|线路忙|线路故障|networkisbusy|linefault", "failed"),
    (r"语音信箱|请留言|来电提醒|短信.{0,6}(通知|提醒)|callreminder|voicemail", "no_answer"),
    (r"转移.{0,2}失败|无法接通|无法接听|无法建立|暂时无法|notreachable|cannotbe|notbeconnected", "unreachable"),
    (r"稍后(再)?拨|稍候再拨|redial|later", "no_answer"),
]]  # fmt: skip
CARRIER = re.compile(
    r"(拨打|拨叫|呼叫|拨)的.{0,4}(用户|电话|号码|手机|机主|客户|是空号)|(对不起|抱歉|您好|sorry)(用户|号码|该|此|您的(电话|号码|手机)|网络|线路|thenumber|thesubscriber)|youdial|youhavedial"
)
NOT_CARRIER = re.compile(r"我(?![们司])|留言|信箱|总机|分机|助手|助理|怎么|什么|是不是|[了吧吗呢啊呀嘛哦啦哈么]$")
NUMBER_STATES = {
    2: "powered_off", 3: "invalid_number", 10: "invalid_number", 18: "invalid_number", 4: "suspended", 8: "suspended",
    11: "suspended", 16: "suspended", 5: "busy", 9: "busy", 6: "rejected", 7: "unreachable", 13: "unreachable",
    17: "unreachable", 12: "no_answer", 15: "no_answer", 20: "no_answer", 14: "failed", 19: "failed",
}  # fmt: skip
CAUSES = {
    "UNALLOCATED_NUMBER": "invalid_number", "NUMBER_CHANGED": "invalid_number", "INVALID_NUMBER_FORMAT": "invalid_number",
    "USER_BUSY": "busy", "NO_ANSWER": "no_answer", "NO_USER_RESPONSE": "no_answer", "ORIGINATOR_CANCEL": "no_answer",
    "CALL_REJECTED": "rejected", "SUBSCRIBER_ABSENT": "unreachable", "DESTINATION_OUT_OF_ORDER": "unreachable",
}  # fmt: skip
Q850 = {1: "invalid_number", 22: "invalid_number", 28: "invalid_number", 17: "busy", 18: "no_answer", 19: "no_answer",
        21: "rejected", 20: "unreachable", 27: "unreachable", 34: "failed", 38: "failed", 41: "failed", 42: "failed"}  # fmt: skip
SIP = {404: "invalid_number", 410: "invalid_number", 484: "invalid_number", 604: "invalid_number", 486: "busy", 600: "busy",
       408: "no_answer", 480: "no_answer", 487: "no_answer", 603: "rejected"}  # fmt: skip


def announcement(text):
    text = text.replace(" ", "")
    return next((result for pattern, result in ANNOUNCEMENTS if pattern.search(text)), None)


def dial_result(report):
    return (
        report.get("announcement") and announcement(normalise(report["announcement"]))
        or NUMBER_STATES.get(report.get("number_state"))
        or report.get("result")
        or CAUSES.get(report.get("hangup_cause"))
        or Q850.get(report.get("q850_cause"))
        or SIP.get(report.get("sip_code"))
        or "failed"
    )  # fmt: skip


# ---------------------------------------------------------------- calls

Event = collections.namedtuple("Event", "kind at body")
Call = collections.namedtuple("Call", "id script events")
Said = collections.namedtuple("Said", "speaker text duration node played id")
ENUMS = {"speaker": "SPEAKER_", "answerer": "ANSWERER_", "by": "PARTY_", "outcome": "OUTCOME_", "result": "DIAL_RESULT_"}


def snake(name):
    return re.sub(r"([A-Z])", lambda match: "_" + match.group().lower(), name)


def read_call(line):
    """A line of the contract's JSON as a call, utterances that replace earlier ones put in their place."""
    raw = json.loads(line)
    events, first = [], {}
    for item in raw.get("events", []):
        at, kind, body = 0, None, None
        for name, value in item.items():
            if name in ("atMs", "at_ms"):
                at = int(value)
            else:
                kind, body = snake(name), {snake(key): inner for key, inner in value.items()}
        for field, prefix in ENUMS.items():
            if kind and isinstance(body.get(field), str):
                body[field] = body[field].removeprefix(prefix).lower().replace("unspecified", "")
        if kind == "utterance":
            said = Said(
                body.get("speaker"), body.get("text", ""), int(body.get("duration_ms", 0)), body.get("node_id", ""),
                body.get("played"), body.get("utterance_id", ""),
            )  # fmt: skip
            if said.id and (said.speaker, said.id) in first:
                place = first[said.speaker, said.id]
                events[place] = events[place]._replace(body=said)
                continue
            if said.id:
                first[said.speaker, said.id] = len(events)
            body = said
        events.append(Event(kind, at, body))
    return Call(raw.get("callId") or raw.get("call_id"), raw.get("scriptId") or raw.get("script_id"), events)


class Line:
    """The robot's latest line, while what answers it is still to come."""

    __slots__ = ("at", "duration", "played", "node", "ask", "proposes", "worded", "contact", "closed")

    def __init__(self, at, duration, played, node, ask, proposes, worded, contact, closed=False):
        self.at, self.duration, self.played, self.node, self.ask = at, duration, played, node, ask
        self.proposes, self.worded, self.contact, self.closed = proposes, worded, contact, closed

    def share(self, until):
        if self.played is not None:
            return self.played
        return min(max(until - self.at, 0) / self.duration, 1.0) if self.duration > 0 else None

    def heard(self, at):
        if self.played is not None:
            return self.played >= 0.7
        return at <= self.at or at - self.at >= 0.7 * self.duration


class Turn:
    __slots__ = ("concepts", "content", "time", "invite_open")

    def __init__(self, invite_open):
        self.concepts, self.content, self.time, self.invite_open = set(), False, False, invite_open


MACHINES = ("switchboard", "fax", "voicemail", "assistant")
MACHINE_LISTS = {f"machine/{kind}": kind for kind in MACHINES}
FILLERS = ("filler", "answer/yes", "answer/goodbye")
REFUSING = {"refuse", "do_not_call"}
DECLINING = {"refuse", "do_not_call", "deny"}
YES_NO = ("offer", "question")


class Grader:
    """One call, event by event."""

    def __init__(self, script):
        self.script = script
        self.answered = self.answer_implied = self.not_connected = self.carrier = self.answered_by = None
        self.answerer_told = self.transferred = False
        self.end = self.hung_up_by = None
        self.last = 0
        self.no_input = 0
        self.forget()

    def forget(self):
        """Nothing said so far counts."""
        self.outcome = self.line = self.current = self.entered = self.unheard = self.last_node = self.side = None
        self.turn_closed = self.invite_open = False
        self.robot_turns = 0
        self.turns, self.spoken = [], {}
        self.progress = dict.fromkeys(self.script.main_flow, 0.0)
        self.reached = []

    def grade(self, events):
        self.ids = any(event.kind == "utterance" and event.body.speaker == "robot" and event.body.node for event in events)
        for kind, at, body in events:
            self.last = at
            if kind == "utterance":
                if body.speaker == "customer":
                    self.customer(at, body)
                elif body.speaker == "robot":
                    self.robot(at, body)
                elif body.speaker == "agent":
                    self.close_line(at)
                    self.line, self.side = None, "robot"
            elif kind == "answered":
                if self.answered is None or self.answer_implied:
                    self.answered, self.answer_implied = at, False
            elif kind == "hangup" or kind == "not_connected":
                if self.answered is None and self.not_connected is None:
                    self.not_connected = dial_result(body)
                if self.end is None:
                    self.end, self.hung_up_by = at, body.get("by", "")
                    self.close_line(at)
            elif kind == "answered_by":
                self.answerer(body.get("answerer"))
            elif kind == "node_entered":
                self.node_entered(at, body.get("node_id", ""))
            elif kind == "silence":
                self.no_input += 1
            elif kind == "keyword_triggered":
                self.reported(self.script.concept_of.get(body.get("category")), body.get("utterance_id"))
            elif kind == "refused":
                self.reported("refuse", body.get("utterance_id"))
            elif kind == "invite_outcome":
                if not self.muted():
                    self.outcome = body.get("outcome")
            elif kind == "transferred":
                self.transferred = True
        if self.end is None:
            self.end = self.last
            self.close_line(self.last)
        signals = self.signals()
        return (*self.script.decide(signals), signals)

    def muted(self):
        return self.answered_by in MACHINES or self.carrier or self.answered is None and self.not_connected

    def answerer(self, who):
        if not who:
            return
        muted = self.muted()
        self.answerer_told, self.answered_by = True, who
        if who in MACHINES or muted:
            self.carrier = None
            self.forget()

    # ------------------------------------------------------------ the customer

    def customer(self, at, said):
        script = self.script
        text = normalise(said.text)
        if not text:
            return
        if self.answered is None and self.not_connected is None:
            self.answered, self.answer_implied = at, True
        if self.muted():
            return
        if len(text) >= 6 and not any(turn.content for turn in self.turns):
            squeezed = text.replace(" ", "")
            if CARRIER.search(squeezed) and not NOT_CARRIER.search(squeezed):
                result = announcement(text)
                if result:
                    self.forget()
                    self.carrier = result
                    return
        hits = script.customer.find(text)
        names = script.names
        said_names = {names[number] for _, _, number in hits}
        if not self.answerer_told:
            machine = max(((end - start, MACHINE_LISTS.get(names[number])) for start, end, number in hits
                           if names[number] in MACHINE_LISTS), default=None)  # fmt: skip
            if machine:
                self.forget()
                self.answered_by = machine[1]
                return
        concepts = {name for name in said_names if "/" not in name and name != "filler"}
        filler_only = not concepts and covered(text, [hit for hit in hits if names[hit[2]] in FILLERS])

        turn = self.open_turn()
        if said.id:
            self.spoken[said.id] = turn
        concepts, content = self.meaning(at, concepts, filler_only, said_names, turn.concepts)
        if content:
            self.close_line(at)
        self.settle_unheard()
        turn.concepts |= concepts
        turn.content |= content
        turn.time |= "answer/time" in said_names

    def meaning(self, at, concepts, filler_only, said_names, so_far):
        """What an utterance means after the robot's line."""
        content = not filler_only
        line = self.line
        if line is None:
            return concepts, content
        if line.proposes and "deny" in concepts:
            concepts = concepts - {"deny"} | {"refuse"}
        if filler_only:
            if "answer/yes" in said_names:
                if line.ask in YES_NO and line.worded and line.heard(at):
                    concepts, content = {"affirm"}, True
            elif "answer/goodbye" in said_names and line.ask == "offer" and not so_far:
                concepts, content = {"refuse"}, True
        if line.contact and line.ask in YES_NO and line.heard(at):
            both = concepts | so_far
            if "affirm" in both and "refuse" not in both:
                concepts, content = concepts | {"contact"}, True
        return concepts, content

    def open_turn(self):
        if self.side != "customer" or self.turn_closed or not self.turns:
            self.turns.append(Turn(self.invite_open))
            self.side, self.turn_closed = "customer", False
        return self.turns[-1]

    def reported(self, concept, utterance):
        if concept is None or self.muted():
            return
        turn = self.spoken.get(utterance) if utterance else None
        turn = turn or self.open_turn()
        self.settle_unheard()
        if concept != "filler":
            turn.concepts.add(concept)
            turn.content = True

    # ------------------------------------------------------------ the robot

    def robot(self, at, said):
        if self.muted():
            return
        script = self.script
        text = normalise(said.text)
        if not text and not said.node:
            return
        self.close_line(at)
        node = script.node_of.get(said.node) if said.node else None
        if node is None:
            if self.entered and not said.node:
                node = self.entered
            elif said.node or not self.ids:
                node = self.recognise(text)
        self.entered = None
        if text and self.side != "robot":
            self.robot_turns += 1
        self.side = "robot"
        asked = self.asked(text)
        meta = script.nodes.get(node, NO_NODE)
        ask = asked or meta.asks
        duration = said.duration or len(text.replace(" ", "")) / script.rate * 1000
        proposes = ask == "offer" or bool(meta.branches) and ask != "question" and meta.asks != "question"
        contact = asked in YES_NO and bool(script.contact.find(text))
        self.line = Line(at, duration, said.played, node, ask, proposes, bool(asked or not text), contact)
        if node:
            self.enter(node)
            self.unheard = node if duration == 0 and said.played is None else None

    def asked(self, text):
        """What the line's last clause asks, if it does."""
        clause = text[text.rfind(" ") + 1 :]
        best, latest = None, 0
        for _, end, number in self.script.asks.find(clause):
            if end + 10 >= len(clause) and (end > latest or end == latest and number == 0):
                best, latest = ASKS[number], end
        return best

    def recognise(self, text):
        """The node whose cues cover most of the line; what the flow expects needs less."""
        hits = self.script.cues.find(text)
        if not hits:
            return None
        covered, reach = {}, {}
        for start, end, number in sorted(hits):
            covered[number] = covered.get(number, 0) + max(0, end - max(start, reach.get(number, 0)))
            reach[number] = max(end, reach.get(number, 0))
        whole = min(max(len(text.replace(" ", "")), 1), 10)
        expected = self.expected()
        answer = "answer" in expected or self.side == "customer" and self.turns and self.turns[-1].concepts & self.script.questions
        expected.add(self.next_in_flow())
        best, top, similarity = None, 0, 0
        for number, length in covered.items():
            node, likeness = self.script.cue_nodes[number], min(length / whole, 1.0)
            score = likeness + (0.15 if node in expected else 0)
            if score > top:
                best, top, similarity = node, score, likeness
        needed = (0.34 if answer else 0.22) if best in expected else (0.5 if answer else 0.34)
        return best if similarity >= needed else None

    def expected(self):
        """Where the branches lead after what the customer said last."""
        if self.current is None or self.side != "customer" or not self.turns:
            return set()
        branches, concepts = self.script.nodes[self.current].branches, self.turns[-1].concepts
        count = sum(1 for turn in self.turns if turn.concepts & DECLINING) if concepts & DECLINING else 1
        found = set()
        for concept in concepts:
            targets = branches.get(concept) or concept in self.script.questions and branches.get("question")
            if targets:
                found.add(targets[min(count, len(targets)) - 1])
        if not found and "any" in branches:
            found.add(branches["any"][0])
        return found

    def next_in_flow(self):
        flow = self.script.main_flow
        place = flow.index(self.last_node) + 1 if self.last_node else 0
        return flow[place] if place < len(flow) else None

    def node_entered(self, at, name):
        node = self.script.node_of.get(name)
        if node is None or self.muted():
            return
        if self.current != node:
            self.turn_closed = True
            self.settle_unheard()
        self.enter(node)
        self.entered = self.unheard = node
        if self.line is None or self.line.node != node:
            self.close_line(at)
            asks = self.script.nodes[node].asks
            self.line = Line(at, 0, None, None, asks, asks == "offer", True, False, closed=True)

    def enter(self, node):
        if self.unheard and self.unheard != node:
            self.settle_unheard()
        self.unheard = None
        self.current = node
        meta = self.script.nodes[node]
        if meta.main is None:
            return
        if node not in self.reached:
            self.reached.append(node)
        self.last_node = node
        self.invite_open = meta.invite

    def settle_unheard(self):
        node, self.unheard = self.unheard, None
        if node:
            self.advance(node, 1.0)

    def close_line(self, at):
        line = self.line
        if line and not line.closed:
            line.closed = True
            share = line.share(at if self.end is None else self.end)
            if line.node and share is not None:
                self.advance(line.node, share)

    def advance(self, node, share):
        after = self.script.nodes[node].after
        if node in self.progress and (after is None or after in self.reached):
            self.progress[node] = max(self.progress[node], share)

    # ------------------------------------------------------------ the facts

    def signals(self):
        script = self.script
        connected = self.answered is not None and self.carrier is None
        hits = dict.fromkeys(script.categories, 0)
        asked, invite = set(), "none"
        content_turns = refusals = streak = longest = 0
        last_refused = False
        for turn in self.turns:
            concepts = turn.concepts
            asked |= concepts & script.questions
            for concept in concepts:
                if concept in hits:
                    hits[concept] += 1
            if turn.invite_open:
                if concepts & DECLINING:
                    invite = "declined"
                elif turn.time or "affirm" in concepts or "contact" in concepts:
                    invite = "accepted"
            if not turn.content:
                hits["filler"] += 1
                continue
            content_turns += 1
            last_refused = bool(concepts & REFUSING)
            refusals += last_refused
            streak = streak + 1 if last_refused else 0
            longest = max(longest, streak)
        machine = self.answered_by in MACHINES and self.carrier is None
        weights = [script.nodes[node].weight for node in script.main_flow]
        done = sum(weight * self.progress[node] for weight, node in zip(weights, script.main_flow))
        return {
            "connected": connected,
            "ended": True,
            "dial_result": "answered" if connected else self.carrier or self.not_connected or "",
            "answered_by": "" if self.carrier else self.answered_by or ("unknown" if connected else ""),
            "machine": machine,
            "talk_s": max(self.end - self.answered, 0) / 1000 if connected else 0.0,
            "customer_turns": len(self.turns),
            "content_turns": content_turns,
            "robot_turns": self.robot_turns,
            "silent": connected and not machine and not self.turns,
            "questions": len(asked),
            "asked": sorted(asked),
            "refusals": refusals,
            "refusal_streak": longest,
            "last_refused": last_refused,
            "hits": hits,
            "invite": self.outcome or invite,
            "completion": round(done / sum(weights), 6),
            "reached": self.reached,
            "last_node": self.last_node or "",
            "hung_up_by": self.hung_up_by or "",
            "no_input": self.no_input,
            "transferred": self.transferred,
            "settings": script.settings,
        }


def covered(text, hits):
    """Whether the hits cover every word of the text."""
    reach = 0
    for start, end, _ in sorted(hits):
        if start > reach and text[reach:start].strip():
            return False
        reach = max(reach, end)
    return not text[reach:].strip()


# ---------------------------------------------------------------- command line


def load(matcher):
    return {folder.name: Script(folder, MATCHERS[matcher]) for folder in sorted(SCRIPTS.iterdir()) if (folder / "script.yaml").exists()}


def read(path):
    with open(path, encoding="utf-8") as file:
        return [read_call(line) for line in file if line.strip()]


def agreement(args):
    scripts = load(args.matcher)
    with open(args.gold, encoding="utf-8") as file:
        gold = {row["callId"]: row for row in map(json.loads, filter(str.strip, file))}
    total, right, by_script = 0, 0, {}
    for call in read(args.calls):
        label, rule, signals = Grader(scripts[call.script]).grade(call.events)
        wanted = gold[call.id]
        agrees = label == wanted["label"]
        counts = by_script.setdefault(call.script, [0, 0])
        counts[0] += agrees
        counts[1] += 1
        total, right = total + 1, right + agrees
        if not agrees and args.verbose:
            keys = ("asked", "refusals", "invite", "completion", "content_turns", "dial_result", "answered_by")
            shown = {key: signals[key] for key in keys}
            print(call.id, f"{label}/{rule}, wanted {wanted['label']}/{wanted['ruleId']}", shown, wanted, file=sys.stderr)
    scripts = {name: {"agree": counts[0], "calls": counts[1]} for name, counts in by_script.items()}
    print(json.dumps({"matcher": args.matcher, "agree": right, "calls": total, "share": right / total, "scripts": scripts}))


def bench(args):
    scripts, calls = load(args.matcher), read(args.bench)
    gc.collect()
    gc.freeze()
    rounds = []
    for _ in range(args.rounds):
        began = time.perf_counter()
        for call in calls:
            Grader(scripts[call.script]).grade(call.events)
        rounds.append((time.perf_counter() - began) / len(calls) * 1e6)
    labels = [Grader(scripts[call.script]).grade(call.events)[0] for call in calls] if args.labels else None
    us_per_call = round(statistics.median(rounds), 1) if rounds else None
    print(json.dumps({"matcher": args.matcher, "calls": len(calls), "rounds": args.rounds, "us_per_call": us_per_call, "labels": labels}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", help="calls to grade, one a line")
    parser.add_argument("--gold", help="their labels")
    parser.add_argument("--bench", help="calls to grade against the clock")
    parser.add_argument("--matcher", choices=sorted(MATCHERS), required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--labels", action="store_true", help="with --bench, tell the labels as well")
    parser.add_argument("--verbose", action="store_true", help="tell which labels differ")
    args = parser.parse_args()
    if args.bench:
        bench(args)
    elif args.calls and args.gold:
        agreement(args)
    else:
        parser.error("either --calls and --gold, or --bench")


if __name__ == "__main__":
    main()
