// Opens an evidence card and prints its findings as one JSON object. usage: node card-check.mjs card.html [FOLDER-FOR-SCREENSHOTS]
import { visit } from './browser.mjs';

const [file, shots] = process.argv.slice(2);
await visit(file, shots, async (page, found) => {
  found.marked = await page.locator('mark').allInnerTexts();
  found.background = await page.evaluate(() => getComputedStyle(document.querySelector('header')).backgroundColor);
});
