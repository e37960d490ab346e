// Shows the values of the place that is pointed at, or chosen by the arrow keys, beside the names
// of the curves. Without it, each place has a title.
for (const chart of document.querySelectorAll(".lines")) {
  const svg = chart.querySelector("svg");
  const key = chart.querySelector(".key");
  const shown = [key.querySelector(".when"), ...key.querySelectorAll("b")];
  const last = shown.map(field => field.textContent);
  const places = [...svg.querySelectorAll(".at")];
  const told = places.map(place => {
    const title = place.querySelector("title");
    title.remove();
    return title.textContent.split("\n").map(line => line.slice(line.lastIndexOf(": ") + 1).trim());
  });
  let chosen = -1;
  const choose = index => {
    places[chosen]?.classList.remove("on");
    places[index]?.classList.add("on");
    chosen = index;
    shown.forEach((field, at) => { field.textContent = (told[index] ?? last)[at]; });
  };
  places.forEach((place, index) => {
    place.addEventListener("pointerenter", () => choose(index));
  });
  svg.addEventListener("pointerleave", () => choose(-1));
  svg.addEventListener("blur", () => choose(-1));
  svg.tabIndex = 0;
  key.setAttribute("aria-live", "polite");
  svg.addEventListener("keydown", event => {
    const end = places.length - 1;
    const from = chosen === -1 ? end : chosen;
    const index = {
      ArrowLeft: Math.max(from - 1, 0), ArrowRight: Math.min(from + 1, end), Home: 0, End: end,
    }[event.key];
    if (index === undefined) return;
    event.preventDefault();
    choose(index);
  });
}
