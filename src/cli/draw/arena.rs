//! The arena as a map: the steps of an entry point from left to right, bytes from the bottom up.

use std::collections::HashMap;

use arenet::internals::compiler::emit::{Plan, PlannedValue, Role};
use arenet::internals::runtime::program::{Program, Routine};

use super::svg::{ADVANCE, Svg, short};
use crate::units;

/// The margins of the map, and its size.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 72.0;
const HEIGHT: f64 = 400.0;
const STEP: f64 = 40.0;
const WIDTHS: [f64; 2] = [320.0, 960.0];
/// The size of the text in a box.
const LETTERS: f64 = 11.0;

/// The most ticks above the first.
const TICKS: u64 = 8;

const STYLE: &str = "\
.drawing .name { font-weight: 600; font-size: 13px; }
.drawing .value { font-size: 11px; }
.drawing .box { stroke-width: 0.75; }
.drawing .tick { stroke: var(--line); stroke-width: 0.5; fill: none; }
.drawing .bound { stroke: var(--red-line); stroke-width: 1.5; stroke-dasharray: 6 4; fill: none; }
.drawing .bound-name { fill: var(--red-line); font-size: 11px; }
.drawing .peak { fill: none; stroke: var(--red-line); stroke-width: 1.5; }
";

/// The colours of the map and what they mean.
const LEGEND: [(&str, &str); 5] = [
    ("blue", "parameters"),
    ("violet", "optimizer states"),
    ("grey", "inputs, targets, numbers"),
    ("green", "kept for the backward pass"),
    ("orange", "transient"),
];

/// What is drawn.
struct Map<'m> {
    plan: &'m Plan,
    steps: usize,
    width: f64,
}

impl Map<'_> {
    fn x(&self, step: f64) -> f64 {
        LEFT + step / self.steps.max(1) as f64 * self.width
    }

    fn y(&self, bytes: u64) -> f64 {
        TOP + HEIGHT - bytes as f64 / self.plan.bytes.max(1) as f64 * HEIGHT
    }

    /// The steps from which to which a value is drawn. Where one takes the place of another, they
    /// share that step.
    fn times(&self, value: &PlannedValue, hands: &Hands) -> [f64; 2] {
        if value.role == Role::Persistent {
            return [0.0, self.steps as f64];
        }
        let takes = hands.get(&(value.first, value.offset)).is_some_and(|both| both.0 && both.1);
        let gives = hands.get(&(value.last, value.offset)).is_some_and(|both| both.0 && both.1);
        let first = f64::from(value.first) + if takes { 0.5 } else { 0.0 };
        let last =
            f64::from(value.last) + if gives && value.last > value.first { 0.5 } else { 1.0 };
        [first, last.min(self.steps as f64)]
    }
}

/// Whether a value ends, and whether one begins, at a step and an offset.
type Hands = HashMap<(u32, u64), (bool, bool)>;

fn hands(plan: &Plan) -> Hands {
    let mut hands = Hands::new();
    for value in plan.values.iter().filter(|value| value.role != Role::Persistent) {
        if value.last > value.first {
            hands.entry((value.last, value.offset)).or_default().0 = true;
        }
        hands.entry((value.first, value.offset)).or_default().1 = true;
    }
    hands
}

/// Draws the plan of an entry point.
pub fn arena(title: &str, plan: &Plan, program: &Program, routine: &Routine) -> String {
    let steps = routine.steps.len();
    let width = (steps as f64 * STEP).clamp(WIDTHS[0], WIDTHS[1]);
    let map = Map { plan, steps, width };
    let (alive, hands) = (plan.alive(steps), hands(plan));
    let most = alive.iter().copied().max().unwrap_or(0);
    let peak = alive.iter().position(|&bytes| bytes == most);
    let mut svg = Svg::default();
    svg.text("name", [MARGIN, 24.0], title);
    if let Some(peak) = peak {
        let (origin, most) = (&routine.steps[peak].origin.name, units::bytes(most));
        svg.text("faint", [MARGIN, 42.0], &format!("peak: {most} at step {peak} ({origin})"));
    }
    let apart = (plan.bytes / TICKS).max(1).next_power_of_two();
    for bytes in (0..=plan.bytes / apart).map(|tick| tick * apart) {
        let y = short(map.y(bytes));
        svg.path("tick", &format!("M{} {y} H{LEFT}", LEFT - 5.0));
        svg.text("faint end", [LEFT - 8.0, y + 4.0], &units::bytes(bytes));
    }
    let colors = colors(program);
    for value in &plan.values {
        let [first, last] = map.times(value, &hands).map(|step| map.x(step));
        let (top, bottom) = (map.y(value.offset + value.bytes), map.y(value.offset));
        let color = match value.role {
            Role::Saved => "green",
            Role::Transient => "orange",
            Role::Persistent => colors.get(&value.offset).copied().unwrap_or("grey"),
        };
        let class = format!("box {color}");
        svg.group(&about(value), |svg| {
            svg.rect(&class, [first, top, last - first, bottom - top], 0.0);
            let fits = |text: &str| text.chars().count() as f64 * LETTERS * ADVANCE + 8.0;
            if bottom - top >= 14.0 && fits(&value.name) <= last - first {
                let y = (top + bottom) / 2.0 + 4.0;
                svg.text("value", [first + 4.0, y], &value.name);
            }
        });
    }
    // As many numbers of steps as there is room for.
    let every = (26.0 / (width / steps.max(1) as f64)).ceil().max(1.0) as usize;
    for (index, step) in routine.steps.iter().enumerate().step_by(every) {
        let title = format!("step {index}: {} ({})", step.kernel.name(), step.origin.name);
        let place = [map.x(index as f64 + 0.5), TOP + HEIGHT + 16.0];
        svg.group(&title, |svg| svg.text("faint middle", place, &index.to_string()));
    }
    svg.text("faint end", [LEFT - 8.0, TOP + HEIGHT + 16.0], "step");
    if let Some(peak) = peak {
        let (from, to) = (map.x(peak as f64), map.x(peak as f64 + 1.0));
        svg.rect("peak", [from, TOP, to - from, HEIGHT], 0.0);
    }
    bounds(&mut svg, &map);
    let end = legend(&mut svg, map.width + LEFT, TOP + HEIGHT + 44.0);
    svg.finish(title, [LEFT + width + RIGHT, end], STYLE)
}

const MARGIN: f64 = 12.0;

/// The lower bound and the end of the arena, as lines with their names.
fn bounds(svg: &mut Svg, map: &Map) {
    let (right, bound) = (LEFT + map.width, map.plan.lower_bound);
    let y = short(map.y(bound));
    svg.path("bound", &format!("M{LEFT} {y} H{}", short(right)));
    let [arena, least] = [map.plan.bytes, bound].map(units::bytes);
    let (name, below) = match map.plan.bytes == bound {
        true => (format!("arena {arena}, as its lower bound"), -5.0),
        false => (format!("lower bound {least}"), 13.0),
    };
    svg.text("bound-name end", [right, y + below], &name);
    if map.plan.bytes != bound {
        svg.text("faint end", [right, TOP - 5.0], &format!("arena {arena}"));
    }
}

/// The colours and what they mean, in lines of at most `right`; says where they end.
fn legend(svg: &mut Svg, right: f64, top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top);
    for (class, name) in LEGEND {
        let width = 20.0 + name.chars().count() as f64 * LETTERS * ADVANCE + 14.0;
        if x + width > right && x > MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        svg.rect(class, [x, y - 10.0, 12.0, 12.0], 2.0);
        svg.text("faint", [x + 18.0, y], name);
        x += width;
    }
    y + 16.0
}

/// The colours of parameters and their states, by their offsets.
fn colors(program: &Program) -> HashMap<u64, &'static str> {
    let offset = |buffer: &arenet::internals::runtime::program::BufferId| {
        program.buffers[buffer.0 as usize].offset
    };
    let mut colors = HashMap::new();
    for param in &program.params {
        colors.insert(offset(&param.buffer), "blue");
        let states = param.states.iter().map(|state| offset(&state.buffer));
        colors.extend(states.map(|offset| (offset, "violet")));
    }
    colors
}

/// A value in words.
fn about(value: &PlannedValue) -> String {
    let PlannedValue { name, offset, bytes, first, last, role, .. } = value;
    let time = match role {
        Role::Persistent => "all steps".to_string(),
        _ => format!("steps {first} to {last}"),
    };
    format!("{name}: {bytes} bytes at {offset}, {}, {time}", role.name())
}
