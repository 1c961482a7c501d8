// Opens a page in headless Chromium as a reader does, and collects what a page must not do: messages, requests, dialogs, and findings of
// axe.
import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Opens the file, lets the caller use it, checks it in both widths and colour schemes, and prints the findings as one JSON object. */
export async function visit(file, shots, use) {
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
    found.firstText = (await page.locator('body').innerText()).trim().split('\n').filter(l => l && l !== 'Skip to the content')[0];
    await use(page, found);
    found.markupFromEvidence = await page.locator('img, iframe, object, embed, link, script[src], main script, main style, *[onerror], *[onclick]').count();
    for (const [colours, width] of [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]]) await look(page, found, colours, width, shots);
    await page.emulateMedia({ media: 'print', colorScheme: 'light' });
    if (shots) await page.pdf({ path: join(shots, 'print.pdf'), format: 'A4' });
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
  console.log(JSON.stringify(found));
}

async function look(page, found, colours, width, shots) {
  await page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
  await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
  await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  found[`overflow${width}`] = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (shots) await page.screenshot({ path: join(shots, `${colours}-${width}.png`), fullPage: false });
  if (shots) await page.screenshot({ path: join(shots, `${colours}-${width}-full.png`), fullPage: true });
  // Axe is injected as the tester's own script, so the page's policy does not block it.
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  found.serious[`${colours}-${width}`] = result.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)}: ${v.nodes[0].failureSummary?.slice(0, 200)}`);
  found.lesser = result.violations.filter(v => !['serious', 'critical'].includes(v.impact)).map(v => `${v.impact} ${v.id}: ${v.nodes[0].html.slice(0, 120)}`);
}
