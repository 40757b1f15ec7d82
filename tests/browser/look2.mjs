import { session, base, browser } from "./look.mjs";
const p = await session();
for (const [scheme, w, h] of [["dark", 320, 1100], ["light", 1280, 1000], ["light", 800, 900]]) {
  await p.emulateMedia({ colorScheme: scheme });
  await p.setViewportSize({ width: w, height: h });
  await p.goto(base + "/overview");
  await p.waitForTimeout(300);
  await p.screenshot({ path: `/tmp/look/o-${w}.png` });
  await p.evaluate(() => window.scrollTo(0, 900)); await p.waitForTimeout(300);
  await p.screenshot({ path: `/tmp/look/o2-${w}.png` });
}
await p.goto(base + "/print"); await p.emulateMedia({ media: "print", colorScheme: "light" }); await p.setViewportSize({ width: 794, height: 1123 }); await p.waitForTimeout(300);
await p.pdf({ path: "/tmp/look/print.pdf", format: "A4" });
await browser.close();
