//! A field of dots, drawn with characters that have two by four of them each.

/// The dots of a character by row and column, added to the empty one: Unicode's braille patterns.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const EMPTY: u32 = 0x2800;

/// A field of so many characters.
pub struct Dots {
    columns: usize,
    rows: usize,
    cells: Vec<u32>,
}

impl Dots {
    /// An empty field.
    pub fn new(columns: usize, rows: usize) -> Dots {
        Dots { columns, rows, cells: vec![EMPTY; columns * rows] }
    }

    /// How many dots there are across, and up.
    pub fn size(&self) -> [usize; 2] {
        [2 * self.columns, 4 * self.rows]
    }

    /// Sets a dot, counted from the lower left; beyond the field there is none.
    pub fn set(&mut self, x: usize, y: usize) {
        let [across, up] = self.size();
        if x < across && y < up {
            let down = up - 1 - y;
            self.cells[down / 4 * self.columns + x / 2] |= DOTS[down % 4][x % 2];
        }
    }

    /// Sets the dots from one place to another, both from 0 to 1 of the field.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2]) {
        let [across, up] = self.size().map(|dots| dots.saturating_sub(1) as f64);
        let place = |[x, y]: [f64; 2]| [x.clamp(0.0, 1.0) * across, y.clamp(0.0, 1.0) * up];
        let (from, to) = (place(from), place(to));
        let steps = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil().max(1.0);
        for step in 0..=steps as usize {
            let at = |from: f64, to: f64| (from + (to - from) * step as f64 / steps).round();
            self.set(at(from[0], to[0]) as usize, at(from[1], to[1]) as usize);
        }
    }

    /// The lines of characters, from the upper one on.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let drawn =
            |&cell: &u32| if cell == EMPTY { ' ' } else { char::from_u32(cell).unwrap_or(' ') };
        self.cells.chunks(self.columns).map(move |cells| cells.iter().map(drawn).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_where_they_are_set() {
        let mut dots = Dots::new(2, 1);
        dots.set(0, 0);
        dots.set(3, 3);
        dots.set(4, 0);
        dots.set(0, 4);
        assert_eq!(dots.lines().collect::<Vec<_>>(), ["⡀⠈"]);
        let mut dots = Dots::new(2, 2);
        dots.line([0.0, 1.0], [1.0, 1.0]);
        dots.line([0.0, 0.0], [0.0, 1.0]);
        assert_eq!(dots.lines().collect::<Vec<_>>(), ["⡏⠉", "⡇ "]);
    }
}
