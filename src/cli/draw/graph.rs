//! A net as a graph of its statements, the gradients beside them where training is drawn.

use std::collections::BTreeMap;

use arenet::internals::compiler::show::diagram::{Diagram, Kind, Statement};

use super::layered::{Boxes, Pass, Placed, placed};
use super::svg::{ADVANCE, Svg, short};
use crate::table::{cut, wrapped};

/// Around everything, and between a box and its text.
const MARGIN: f64 = 16.0;
const PADDING: f64 = 10.0;
/// Between a statement and its gradient.
const BESIDE: f64 = 18.0;
/// Between the edges that meet a box.
const APART: f64 = 14.0;
/// The height of the title.
const HEAD: f64 = 48.0;
/// The least width of an input or target.
const NARROW: f64 = 90.0;
/// The most characters of a line, and the most lines of an operation and of parameters.
const LONGEST: usize = 26;
const LINES: usize = 4;

const STYLE: &str = "\
.drawing .name { font-weight: 600; font-size: 13px; }
.drawing .edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
.drawing .head { fill: var(--line); }
.drawing .back { stroke: var(--violet-line); }
.drawing .back-head { fill: var(--violet-line); }
.drawing .shape { fill: var(--faint); font-size: 11px; paint-order: stroke; stroke: var(--paper);
  stroke-width: 4px; stroke-linejoin: round; }
.drawing .shared { stroke-dasharray: 5 3; stroke-width: 2; }
";

/// A box of text.
struct Face {
    class: String,
    title: String,
    lines: Vec<(&'static str, f64, String)>,
}

impl Face {
    fn width(&self) -> f64 {
        let width =
            |(_, size, text): &(&str, f64, String)| text.chars().count() as f64 * size * ADVANCE;
        self.lines.iter().map(width).fold(0.0, f64::max) + 2.0 * PADDING
    }

    fn height(&self) -> f64 {
        self.lines.iter().map(|(_, size, _)| size + 4.0).sum::<f64>() + 12.0
    }

    fn draw(&self, svg: &mut Svg, [middle, top]: [f64; 2], width: f64) {
        let left = middle - width / 2.0;
        svg.group(&self.title, |svg| {
            svg.rect(&self.class, [left, top, width, self.height()], 6.0);
            let mut y = top + 4.0;
            for (class, size, text) in &self.lines {
                y += size + 4.0;
                svg.text(class, [left + PADDING, y - 1.0], text);
            }
        });
    }
}

/// Draws the forward pass, and with `backward` the gradients beside it.
pub fn graph(title: &str, about: &str, diagram: &Diagram, backward: bool) -> String {
    let front: Vec<Face> = diagram.boxes.iter().map(forward).collect();
    let back: Vec<Option<Face>> =
        diagram.boxes.iter().map(|of| gradient(of).filter(|_| backward)).collect();
    let widest =
        |faces: &mut dyn Iterator<Item = &Face>| faces.map(Face::width).fold(0.0, f64::max);
    let drawing = Drawing::new(
        diagram,
        [widest(&mut front.iter()), widest(&mut back.iter().flatten())],
        front,
        back,
    );
    let mut svg = Svg::default();
    svg.text("name", [MARGIN, MARGIN + 10.0], title);
    svg.text("faint", [MARGIN, MARGIN + 26.0], about);
    drawing.edges(&mut svg, false);
    drawing.edges(&mut svg, true);
    drawing.faces(&mut svg);
    drawing.shapes(&mut svg);
    let letters = title.chars().count().max(about.chars().count()) as f64;
    let Placed { width, height, .. } = drawing.placed;
    let width = width.max(letters * 13.0 * ADVANCE) + 2.0 * MARGIN;
    svg.finish(title, [width, height + HEAD + 2.0 * MARGIN], STYLE)
}

/// A statement.
fn forward(of: &Statement) -> Face {
    let color = match of.kind {
        Kind::Port => "grey",
        Kind::Layer => "blue",
        Kind::Output => "green",
        Kind::Loss => "orange",
    };
    let is_shared = of.params.iter().any(|(_, _, uses)| *uses > 1);
    let class = format!("{color}{}", if is_shared { " shared" } else { "" });
    let mut lines = vec![("name", 13.0, cut(&of.name, LONGEST))];
    if of.kind == Kind::Output {
        lines.push(("faint", 11.0, "output".to_string()));
    }
    if let Some(block) = &of.block {
        lines.push(("faint", 11.0, cut(&format!("in block {block}"), LONGEST)));
    }
    let words = wrapped(&of.operation, 0, LONGEST);
    let more = words.lines().count() > LINES;
    for (index, line) in words.lines().take(LINES).enumerate() {
        let more = if more && index + 1 == LINES { " …" } else { "" };
        lines.push(("", 12.0, cut(&format!("{line}{more}"), LONGEST + 2)));
    }
    let param = |(name, shape, uses): &(String, _, usize)| {
        let times = if *uses > 1 { format!(" shared ×{uses}") } else { String::new() };
        format!("{name} {shape}{times}")
    };
    let params: Vec<String> = of.params.iter().map(param).collect();
    some(&mut lines, &params);
    Face { class, title: format!("{}: {}", of.name, of.operation), lines }
}

/// The gradient of a statement, if it has one.
fn gradient(of: &Statement) -> Option<Face> {
    let name = format!("∂{}", of.name);
    let mut lines = vec![("name", 13.0, cut(&name, LONGEST))];
    some(&mut lines, &of.trained.iter().map(|name| format!("∂{name}")).collect::<Vec<_>>());
    let title = format!("the gradient of the loss with respect to {}", of.name);
    of.has_gradient.then_some(Face { class: "violet".to_string(), title, lines })
}

/// Adds the first parameters of a list, and how many more there are.
fn some(lines: &mut Vec<(&'static str, f64, String)>, params: &[String]) {
    for name in params.iter().take(LINES) {
        lines.push(("faint", 11.0, cut(name, LONGEST + 4)));
    }
    if let Some(more @ 1..) = params.len().checked_sub(LINES) {
        lines.push(("faint", 11.0, format!("and {more} more")));
    }
}

/// The boxes and where they are: of each statement its face, and that of its gradient beside it.
struct Drawing<'d> {
    diagram: &'d Diagram,
    front: Vec<Face>,
    back: Vec<Option<Face>>,
    /// The widths of the faces, and the one of all those of gradients.
    fronts: Vec<f64>,
    behind: f64,
    placed: Placed,
}

impl Drawing<'_> {
    fn new(
        diagram: &Diagram,
        widths: [f64; 2],
        front: Vec<Face>,
        back: Vec<Option<Face>>,
    ) -> Drawing<'_> {
        let width = |index: usize| match (diagram.boxes[index].kind, &back[index]) {
            (Kind::Port, None) => front[index].width().max(NARROW),
            _ => widths[0],
        };
        let count = diagram.boxes.len();
        let beside = |index: usize| back[index].as_ref().map_or(0.0, |_| BESIDE + widths[1]);
        let height = |index: usize| {
            back[index].as_ref().map_or(0.0, Face::height).max(front[index].height())
        };
        let each = |of: &dyn Fn(usize) -> f64| (0..count).map(of).collect::<Vec<f64>>();
        let (whole, heights) = (each(&|index| width(index) + beside(index)), each(&height));
        let (meets, fronts) = (each(&|index| -beside(index) / 2.0), each(&width));
        let edges: Vec<(usize, usize)> =
            diagram.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let lane = if widths[1] > 0.0 { 2.0 * APART } else { 2.0 };
        let placed = placed(&Boxes {
            heights: &heights,
            widths: &whole,
            meets: &meets,
            edges: &edges,
            lane,
        });
        Drawing { diagram, front, back, fronts, behind: widths[1], placed }
    }

    /// The face of a statement, or that of its gradient.
    fn face(&self, index: usize, back: bool) -> Option<&Face> {
        if back { self.back[index].as_ref() } else { Some(&self.front[index]) }
    }

    /// The middle of a face from the left, its upper and its lower end.
    fn place(&self, index: usize, back: bool) -> [f64; 3] {
        let [x, middle] = self.placed.boxes[index];
        let height = self.face(index, back).map_or(0.0, Face::height);
        let beside = match (&self.back[index], back) {
            (None, _) => 0.0,
            (Some(_), false) => -(BESIDE + self.behind) / 2.0,
            (Some(_), true) => (BESIDE + self.fronts[index]) / 2.0,
        };
        let top = middle + HEAD + MARGIN - height / 2.0;
        [x + MARGIN + beside, top, top + height]
    }

    /// Draws the boxes, and the way from the loss to its gradient.
    fn faces(&self, svg: &mut Svg) {
        for (index, of) in self.diagram.boxes.iter().enumerate() {
            for back in [false, true] {
                let [x, top, _] = self.place(index, back);
                let Some(face) = self.face(index, back) else { continue };
                face.draw(svg, [x, top], if back { self.behind } else { self.fronts[index] });
            }
            if of.kind == Kind::Loss && self.back[index].is_some() {
                let [from, to] = [self.place(index, false), self.place(index, true)];
                let middle = short((from[1] + from[2]) / 2.0);
                let [from, to] = [from[0] + self.fronts[index] / 2.0, to[0] - self.behind / 2.0];
                svg.path(
                    "edge back",
                    &format!("M{} {middle} L{} {middle}", short(from), short(to - 6.0)),
                );
                svg.path("back-head", &format!("M{} {middle} l-7 -4 v8 z", short(to)));
            }
        }
    }

    /// How far from the middle of a box an edge meets it: edges beside each other as their ways
    /// lead.
    fn meets(&self, index: usize, edge: usize, out: bool) -> f64 {
        let edges = self.diagram.edges.iter().enumerate();
        let next = |edge: usize| {
            let route = &self.placed.routes[edge];
            if out { route[1].x } else { route[route.len() - 2].x }
        };
        let mut own: Vec<usize> = edges
            .filter(|(_, edge)| if out { edge.from == index } else { edge.to == index })
            .map(|(edge, _)| edge)
            .collect();
        own.sort_by(|&a, &b| next(a).total_cmp(&next(b)).then(a.cmp(&b)));
        let place = own.iter().position(|&other| other == edge).unwrap_or(0);
        (place as f64 - (own.len() - 1) as f64 / 2.0) * APART.min(60.0 / own.len() as f64)
    }

    /// Where an edge passes the ranks, from its first box to its last.
    fn way(&self, index: usize, back: bool) -> Vec<Pass> {
        let (edge, route) = (&self.diagram.edges[index], &self.placed.routes[index]);
        let last = route.len() - 1;
        let beside = match (self.behind > 0.0, back) {
            (false, _) => 0.0,
            (true, false) => -APART / 2.0,
            (true, true) => APART / 2.0,
        };
        let pass = |(at, pass): (usize, &Pass)| {
            let x = match at {
                0 => self.place(edge.from, back)[0] + self.meets(edge.from, index, true),
                _ if at == last => self.place(edge.to, back)[0] + self.meets(edge.to, index, false),
                _ => pass.x + MARGIN + beside,
            };
            let [top, bottom] = [pass.top, pass.bottom].map(|y| y + HEAD + MARGIN);
            Pass { x, top, bottom }
        };
        route.iter().enumerate().map(pass).collect()
    }

    /// Draws the edges, or those of the backward pass, which lead up.
    fn edges(&self, svg: &mut Svg, back: bool) {
        for (index, edge) in self.diagram.edges.iter().enumerate() {
            if self.face(edge.from, back).is_none() || self.face(edge.to, back).is_none() {
                continue;
            }
            let way = self.way(index, back);
            let (start, end) = (self.place(edge.from, back)[2], self.place(edge.to, back)[1]);
            let (class, head) = if back { ("edge back", "back-head") } else { ("edge", "head") };
            svg.path(class, &curve(&way, start, end, back));
            let (x, y, length) = match back {
                true => (way[0].x, start, 7),
                false => (way[way.len() - 1].x, end, -7),
            };
            svg.path(head, &format!("M{} {} l-4 {length} h8 z", short(x), short(y)));
        }
    }

    /// Writes the shapes of values beside their edges, once where several read the same.
    fn shapes(&self, svg: &mut Svg) {
        let mut groups: BTreeMap<(usize, String), Vec<[f64; 3]>> = BTreeMap::new();
        for (index, edge) in self.diagram.edges.iter().enumerate() {
            let shapes: Vec<String> = edge.shapes.iter().map(|shape| shape.to_string()).collect();
            let way = self.way(index, false);
            let start = [way[0].x, way[1].x, way[0].bottom];
            groups.entry((edge.from, shapes.join(", "))).or_default().push(start);
        }
        for ((_, shapes), mut starts) in groups {
            starts.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let (left, right) = (starts[0], starts[starts.len() - 1]);
            // On the side that no edge leads to, or between edges that part.
            const STRAIGHT: f64 = 12.0;
            if right[1] <= right[0] + STRAIGHT {
                svg.text("shape", [right[0] + 8.0, right[2] + 15.0], &shapes);
            } else if left[1] >= left[0] - STRAIGHT {
                svg.text("shape end", [left[0] - 8.0, left[2] + 15.0], &shapes);
            } else {
                let middle = (left[0] + right[0]) / 2.0;
                svg.text("shape middle", [middle, left[2] + 40.0], &shapes);
            }
        }
    }
}

/// A smooth way from the lower end of a box at `start` down to the upper end of another at `end`,
/// straight past the boxes of the ranks between; the arrow's head has room at its end.
fn curve(points: &[Pass], start: f64, end: f64, back: bool) -> String {
    const HEAD_ROOM: f64 = 6.0;
    let (start, end) = if back { (start + HEAD_ROOM, end) } else { (start, end - HEAD_ROOM) };
    let mut path = format!("M{} {}", short(points[0].x), short(start));
    for pair in points.windows(2) {
        let (from, to) = (pair[0].bottom, pair[1].top);
        let middle = short((from + to) / 2.0);
        let [x, next, from, to] = [pair[0].x, pair[1].x, from.max(start), to].map(short);
        path += &format!(" L{x} {from} C{x} {middle} {next} {middle} {next} {to}");
        let low = if pair[1].bottom >= end { end } else { pair[1].bottom };
        path += &format!(" L{next} {}", short(low));
    }
    path
}
