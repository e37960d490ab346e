//! Every code has an explanation, whose example is told with this code alone, and its cure with
//! nothing. Those with rows are run in tests/training.

use arenet_compiler::code::Code;
use arenet_compiler::{Options, compile};
use pretty_assertions::assert_eq;

/// What no text shows that is worth reading: sizes, long tables, and what comes from
/// outside the text.
const WITHOUT_EXAMPLE: [Code; 12] = [
    Code::BrokenProgram,
    Code::CopiedRows,
    Code::DiffersInTraining,
    Code::NameTooLong,
    Code::NestingTooDeep,
    Code::SourceTooLarge,
    Code::TooManyErrors,
    Code::TooManyNodes,
    Code::TooManyOperations,
    Code::TooManyOptimizers,
    Code::Usage,
    Code::ValueTooLarge,
];

/// The examples in a language.
fn examples<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// The codes of what is told of a net.
fn told(source: &str) -> Vec<Code> {
    let told = compile(source, &Options::default());
    told.map_or_else(|told| told, |done| done.warnings).iter().map(|found| found.code).collect()
}

#[test]
fn an_example_is_told_and_its_cure_is_not() {
    let mut others = Vec::new();
    for &code in Code::ALL {
        let text = code.explanation();
        let nets = examples(text, "net");
        if WITHOUT_EXAMPLE.contains(&code) {
            assert!(nets.is_empty(), "{code}");
        } else if examples(text, "csv").is_empty() {
            let [wrong, cured] = nets[..] else { panic!("{code} has {} examples", nets.len()) };
            let told = (told(wrong), told(cured));
            others.extend((told != (vec![code], vec![])).then_some((code, told)));
        }
    }
    assert_eq!(others, []);
}

#[test]
fn an_explanation_begins_with_one_line() {
    for code in Code::ALL {
        let (first, rest) = code.explanation().split_once("\n\n").unwrap();
        assert!(first.ends_with('.') && first.lines().count() == 1, "{code}");
        assert!(first.len() <= 78 && !rest.trim().is_empty(), "{code}");
        let wide = |line: &&str| line.chars().count() > 80;
        assert_eq!(rest.lines().find(wide), None, "{code}");
    }
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(Code::ALL.iter().all(|code| Code::named(code.name()) == Some(*code)));
}
