// Opens a report in headless Chromium as a reader does, without a network, and says what it found: one JSON object on stdout.
// usage: node report-check.mjs report.html WORD ITEM-WORD [FOLDER-FOR-SCREENSHOTS]
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [file, word, itemWord, shots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const profile = await mkdtemp(join(tmpdir(), 'auditcli-chromium-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  viewport: { width: 1280, height: 900 },
  bypassCSP: false,
});
const found = { messages: [], requests: [], dialogs: 0, serious: {} };
try {
  const page = context.pages()[0] ?? await context.newPage();
  page.on('console', m => found.messages.push(`${m.type()}: ${m.text()}`));
  page.on('pageerror', e => found.messages.push(`error: ${e.message}`));
  page.on('dialog', d => { found.dialogs++; d.dismiss(); });
  page.on('request', r => { if (!r.url().startsWith('file:')) found.requests.push(r.url()); });
  const begun = performance.now();
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  found.loadMilliseconds = Math.round(performance.now() - begun);
  const shown = () => page.locator('article[data-id]:visible').count();
  found.controls = await shown();
  found.firstText = (await page.locator('body').innerText()).trim().split('\n')[0] === 'Skip to the content'
    ? (await page.locator('body').innerText()).trim().split('\n').filter(l => l)[1]
    : (await page.locator('body').innerText()).trim().split('\n')[0];

  await page.fill('#find', word);
  found.foundByWord = await shown();
  await page.fill('#find', 'no control has these words');
  found.foundByNonsense = await shown();
  await page.click('#clear');
  const conclusion = await page.locator('#conclusion option:nth-child(2)').getAttribute('value');
  await page.selectOption('#conclusion', conclusion);
  found.filtered = await shown();
  found.expectedFiltered = await page.locator(`.controls tr[data-conclusion="${conclusion}"]`).count();
  await page.click('#clear');
  found.afterClear = await shown();

  // By keyboard alone: the first population is opened, searched and turned.
  const population = page.locator('details.population').nth(Number(process.env.POPULATION ?? 0));
  await population.locator('summary').focus();
  await page.keyboard.press('Enter');
  const opened = performance.now();
  await population.locator('tbody tr').first().waitFor({ timeout: 60000 });
  found.openMilliseconds = Math.round(performance.now() - opened);
  found.rows = await population.locator('tbody tr').count();
  found.rowsStatus = await population.locator('.count-shown').innerText();
  const searched = performance.now();
  await population.locator('.find').fill(itemWord);
  found.searchMilliseconds = Math.round(performance.now() - searched);
  found.rowsFound = await population.locator('tbody tr').count();
  found.foundStatus = await population.locator('.count-shown').innerText();
  found.foundText = await population.locator('tbody').innerText();
  await population.locator('.find').fill('');

  const exception = page.locator('details.exception').first();
  if (await exception.count()) {
    await exception.locator('summary').focus();
    await page.keyboard.press('Enter');
    found.exceptionText = await exception.innerText();
  }

  found.markupFromEvidence = await page.locator('img, iframe, object, embed, link, script[src], main script, main style, *[onerror], *[onclick]').count();
  for (const [colours, width] of [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]]) {
    await page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.evaluate(() => scrollTo(0, 0));
    found[`overflow${width}`] = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (shots) await page.screenshot({ path: join(shots, `${colours}-${width}.png`), fullPage: false });
    if (shots) await page.screenshot({ path: join(shots, `${colours}-${width}-full.png`), fullPage: true });
    // Axe is put in as the tester's own script, which the page's policy does not stop.
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    found.serious[`${colours}-${width}`] = result.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)}: ${v.nodes[0].failureSummary?.slice(0, 200)}`);
    found.lesser = result.violations.filter(v => !['serious', 'critical'].includes(v.impact)).map(v => `${v.impact} ${v.id}: ${v.nodes[0].html.slice(0, 120)}`);
  }
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  if (shots) await page.pdf({ path: join(shots, 'print.pdf'), format: 'A4' });
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(found));
