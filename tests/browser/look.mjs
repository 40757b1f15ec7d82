import { chromium } from "playwright-core";
const base = "http://127.0.0.1:8099";
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
export async function session(js = true) {
  const context = await browser.newContext({ javaScriptEnabled: js, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(base + "/login");
  await page.fill("#name", "admin"); await page.fill("#password", "mosaic-tile-1887");
  await Promise.all([page.waitForNavigation(), page.click("text=Sign in >> nth=-1")]);
  return page;
}
export async function shots(page, name) {
  for (const scheme of ["light", "dark"]) for (const width of [1280, 320]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: width === 320 ? 640 : 900 });
    await page.screenshot({ path: `/tmp/look/pics/${name}-${scheme}-${width}.png`, fullPage: width !== 320 || true });
  }
  await page.emulateMedia({ colorScheme: null }); await page.setViewportSize({ width: 1280, height: 900 });
}
export { base, browser };
