// What a visitor does with the tokens of the list: with a script on the bar that appears, without one on the one that is there.

/** The actions by what the page calls them, and what the bar does. */
const SHORT = { "Change validity": "Validity", "Change lock": "Lock", "Change label": "Label" };

/** Ticks the first so many tokens. */
export async function tick(visitor, count) {
  const boxes = visitor.page.getByRole("checkbox", { name: /^Select (?!all)/ });
  for (let n = 0; n < count; n++) await boxes.nth(n).check();
}

/** Starts an action with the ticked tokens, with those of the page, or with all results. */
export async function act(visitor, action, which = "ticked") {
  const { page } = visitor;
  if (!visitor.server.javaScriptEnabled) {
    if (action === "Print") return visitor.click("button", which === "ticked" ? "Print selected" : "Print this page");
    await page.getByLabel("Action", { exact: true }).selectOption(action);
    const names = { ticked: "Selected", page: /^This page/, all: /^(All|The 1) / };
    return visitor.leads(() => page.getByRole("group", { name: "Apply to" }).getByRole("button", { name: names[which] }).click());
  }
  if (which !== "ticked") await page.getByLabel("Select all on this page").check();
  if (which === "all") await page.getByRole("button", { name: /^Select (all|the 1) / }).click();
  return visitor.leads(() => page.locator("[data-bar]").getByRole("button", { name: SHORT[action] ?? action, exact: true }).click());
}

/** Keeps the page scrolled to its end, where the bar has its own place and covers no row: axe takes what is half covered for too small. */
export async function showBarInPlace({ page, server }) {
  if (!server.javaScriptEnabled) return;
  await page.evaluate(() => {
    const end = () => scrollTo(0, document.documentElement.scrollHeight);
    addEventListener("resize", end);
    end();
  });
}
