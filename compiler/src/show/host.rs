//! Numbers of the host as formulas in the letters of papers.

use arenet_program::HostNumber;
use arenet_program::host::{HostInput, HostInstr, HostOp};

/// A line: what is defined, with its sign, and the formula.
pub(super) type Line = (String, String);

/// Writes numbers of the host; what is long and used several times gets a letter.
pub(super) struct Host {
    /// The rate that the schedule starts from.
    base: f64,
    /// The formulas that have letters, in the order of these.
    known: Vec<String>,
}

const LETTERS: [&str; 12] = ["α", "κ", "μ", "ρ", "ν", "ξ", "λ", "φ", "χ", "ψ", "ω", "τ"];

/// How tightly a formula binds: sums and comparisons, quotients, products, what stands alone.
const SUM: u8 = 0;
const QUOTIENT: u8 = 1;
const PRODUCT: u8 = 2;
const NAME: u8 = 3;

type Text = (String, u8);

/// Formulas up to this length are repeated.
const SHORT: usize = 12;

impl Host {
    pub(super) fn new(base: f64) -> Host {
        Host { base, known: Vec::new() }
    }

    /// The letter of a formula, with a line that says so the first time.
    pub(super) fn letter(&mut self, text: String, lines: &mut Vec<Line>) -> String {
        let known = self.known.iter().position(|known| *known == text);
        let index = known.unwrap_or(self.known.len());
        let letter = match LETTERS.get(index) {
            Some(letter) => letter.to_string(),
            None => format!("{}{}", LETTERS[index % LETTERS.len()], index / LETTERS.len()),
        };
        if known.is_none() {
            lines.push((format!("{letter} = "), text.clone()));
            self.known.push(text);
        }
        letter
    }

    pub(super) fn text(&mut self, number: &HostNumber, lines: &mut Vec<Line>) -> String {
        let code = &number.code;
        let mut uses = vec![0; code.len()];
        for instr in code {
            if let HostInstr::Apply(op, args) = instr {
                args[..op.arity()].iter().for_each(|&arg| uses[usize::from(arg)] += 1);
            }
        }
        let mut texts: Vec<Text> = Vec::with_capacity(code.len());
        for (instr, uses) in code.iter().zip(uses) {
            let text = match *instr {
                HostInstr::Const(value) => (self::number(value), NAME),
                HostInstr::Input(input) => self.input(input),
                HostInstr::Apply(op, args) => {
                    let args = args.map(usize::from);
                    let text = of_step(op, args.map(|arg| code[arg]));
                    text.unwrap_or_else(|| applied(op, args.map(|arg| &texts[arg])))
                }
            };
            let is_repeated = uses > 1 || self.known.contains(&text.0);
            texts.push(match is_repeated && text.0.chars().count() > SHORT {
                true => (self.letter(text.0, lines), NAME),
                false => text,
            });
        }
        texts.pop().map_or(String::new(), |(text, _)| text)
    }

    fn input(&self, input: HostInput) -> Text {
        match input {
            HostInput::Rate(_) => ("η".into(), NAME),
            HostInput::Momentum(_) => ("β".into(), NAME),
            HostInput::Step => ("t - 1".into(), SUM),
            HostInput::Steps => ("T".into(), NAME),
            HostInput::Base => (number(self.base), NAME),
            other => (other.to_string(), NAME),
        }
    }
}

/// The number of the step counts from 1 in papers, and from 0 in programs.
fn of_step(op: HostOp, [a, b, _]: [HostInstr; 3]) -> Option<Text> {
    match (op, a, b) {
        (HostOp::Add, HostInstr::Input(HostInput::Step), HostInstr::Const(1.0)) => {
            Some(("t".into(), NAME))
        }
        (HostOp::Less, HostInstr::Input(HostInput::Step), HostInstr::Const(1.0)) => {
            Some(("t = 1".into(), SUM))
        }
        (HostOp::Less, HostInstr::Input(HostInput::Step), HostInstr::Const(steps))
            if steps.fract() == 0.0 =>
        {
            Some((format!("t ≤ {}", number(steps)), SUM))
        }
        _ => None,
    }
}

fn applied(op: HostOp, [a, b, c]: [&Text; 3]) -> Text {
    let at = |(text, own): &Text, least: u8| match *own >= least {
        true => text.clone(),
        false => format!("({text})"),
    };
    let is = |text: &Text, number: &str| text.0 == number;
    match op {
        HostOp::Add | HostOp::Sub if is(b, "0") => a.clone(),
        HostOp::Mul if is(a, "0") || is(b, "0") => ("0".into(), NAME),
        HostOp::Mul | HostOp::Div if is(b, "1") => a.clone(),
        HostOp::Mul if is(a, "1") => b.clone(),
        HostOp::Add => (sum(&at(a, SUM), &at(b, SUM)), SUM),
        HostOp::Sub => (format!("{} - {}", at(a, SUM), at(b, QUOTIENT)), SUM),
        HostOp::Mul => {
            // Numbers come first.
            let is_number = |text: &Text| text.0.parse::<f64>().is_ok();
            let [a, b] = if is_number(b) && !is_number(a) { [b, a] } else { [a, b] };
            (format!("{} {}", at(a, PRODUCT), at(b, PRODUCT)), PRODUCT)
        }
        HostOp::Div => (format!("{} / {}", at(a, QUOTIENT), at(b, NAME)), QUOTIENT),
        HostOp::Power if is(b, "t") => (format!("{}ᵗ", at(a, NAME)), NAME),
        HostOp::Power | HostOp::RealPower => (format!("{}^{}", at(a, NAME), at(b, NAME)), NAME),
        HostOp::Less => (format!("{} < {}", at(a, SUM), at(b, SUM)), SUM),
        HostOp::If => (format!("({} if {}, else {})", b.0, a.0, c.0), NAME),
        HostOp::Max => (format!("max({}, {})", a.0, b.0), NAME),
        HostOp::Floor => (format!("⌊{}⌋", a.0), NAME),
        HostOp::Sqrt => (format!("√{}", at(a, NAME)), NAME),
        HostOp::CosTurns => (format!("cos(2π {})", at(a, PRODUCT)), NAME),
        HostOp::WholeLog => (format!("⌊log({}, {})⌋", a.0, b.0), NAME),
        HostOp::Pochhammer => (format!("({}; {})_{}", a.0, b.0, at(c, NAME)), NAME),
    }
}

/// a + b, or a - b where that is what it means.
pub(super) fn sum(a: &str, b: &str) -> String {
    match b.strip_prefix('-') {
        Some(b) => format!("{a} - {b}"),
        None => format!("{a} + {b}"),
    }
}

/// A number as it was meant: 0.1, where the compiler has computed 1 - 0.9.
pub(super) fn number(value: f64) -> String {
    let short: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    let size = short.abs();
    match size == 0.0 || (1e-4..1e6).contains(&size) {
        true => short.to_string(),
        false => format!("{short:e}"),
    }
}
