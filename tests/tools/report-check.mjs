// Uses a report as a reader does, without a network, and prints its findings as one JSON object.
// usage: node report-check.mjs report.html WORD ITEM-WORD [FOLDER-FOR-SCREENSHOTS]
import { visit } from './browser.mjs';

const [file, word, itemWord, shots] = process.argv.slice(2);
await visit(file, shots, async (page, found) => {
  // The first Tab stop skips the head of the page.
  await page.keyboard.press('Tab');
  found.firstStop = await page.evaluate(() => document.activeElement.innerText);
  await page.keyboard.press('Enter');
  found.firstStopLeadsTo = await page.evaluate(() => location.hash);

  const shown = () => page.locator('article[data-id]:visible').count();
  found.controls = await shown();

  await page.fill('#find', word);
  found.foundByWord = await shown();
  await page.fill('#find', 'xqzv');
  found.foundByNonsense = await shown();
  await page.click('#clear');
  const conclusion = await page.locator('#conclusion option:nth-child(2)').getAttribute('value');
  await page.selectOption('#conclusion', conclusion);
  found.filtered = await shown();
  found.expectedFiltered = await page.locator(`.controls tr[data-conclusion="${conclusion}"]`).count();
  await page.click('#clear');
  found.afterClear = await shown();

  // Opens, searches and pages a population with the keyboard alone.
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
});
