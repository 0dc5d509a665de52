// Drives Debian's Chromium through a login and a consent page, as a person does.
// node browse.mjs MODULES URL WHAT ; WHAT is agree, deny or leave. Prints what the last page says, as JSON.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, url, what] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(path.join(modules, 'playwright-core', 'index.mjs')));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  const page = await browser.newPage();
  await page.goto(url);
  await page.fill('input[name=login]', 'alice');
  await page.fill('input[name=password]', 'pw');
  if (what !== 'leave') {
    await page.click('button[type=submit]');
    await page.waitForSelector('input[value=consent]', { state: 'attached' });
    await page.click(what === 'deny' ? 'a[href*=abort]' : 'button[type=submit]');
    await page.waitForURL((at) => at.pathname === '/callback', { timeout: 30000 });
    await page.waitForLoadState();
    const scripts = await page.locator('script').count();
    console.log(JSON.stringify({ title: await page.title(), text: await page.innerText('body'), scripts }));
  }
} finally {
  await browser.close();
}
