import { chromium } from "playwright-core";
const base=process.argv[2], out=process.argv[3], paths=process.argv.slice(4);
const b=await chromium.launch({executablePath:"/usr/bin/chromium-headless-shell",chromiumSandbox:false});
for (const scheme of ["light","dark"]) {
const c=await b.newContext({viewport:{width:1280,height:800},colorScheme:scheme}); const p=await c.newPage();
await p.goto(base+"/login"); await p.getByLabel("Name").fill("admin"); await p.getByLabel("Password").fill("mosaic-tile-1887"); await p.getByRole("button",{name:"Sign in"}).click(); await p.waitForURL(base+"/");
for (const [w,h] of [[1280,800],[375,740]]) for (const path of paths) { await p.setViewportSize({width:w,height:h}); const [url,act]=path.split("@"); await p.goto(base+url); if(act) await p.locator(act).first().click(); await p.screenshot({path:`${out}/${(url.replace(/\W+/g,"_")||"root")}${act?"_open":""}-${w}-${scheme}.png`}); }
await c.close(); }
await b.close();
