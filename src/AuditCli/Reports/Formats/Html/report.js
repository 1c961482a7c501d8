'use strict';
(() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const number = n => n.toLocaleString('en-US');
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The list of controls, and the control sections below it, follow one filter.
  const rows = all('.controls tbody tr[data-id]');
  const articles = new Map(all('article[data-id]').map(a => [a.dataset.id, a]));
  const texts = new Map(rows.map(row => [row, `${row.textContent}\n${articles.get(row.dataset.id).textContent}`.toLowerCase()]));
  const filter = one('.filter');
  const apply = () => {
    const words = one('#find').value.toLowerCase().split(/\s+/).filter(w => w);
    const conclusion = one('#conclusion').value;
    let shown = 0;
    for (const row of rows) {
      const fits = (!conclusion || row.dataset.conclusion === conclusion) && words.every(w => texts.get(row).includes(w));
      row.hidden = !fits;
      articles.get(row.dataset.id).hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of all('.controls tr.group')) {
      let next = group.nextElementSibling;
      let any = false;
      for (; next && !next.classList.contains('group'); next = next.nextElementSibling) any ||= !next.hidden;
      group.hidden = !any;
    }
    one('#shown').textContent = shown === rows.length ? `${rows.length} controls` : `${shown} of ${rows.length} controls`;
  };
  filter.hidden = false;
  filter.addEventListener('input', apply);
  one('#clear').addEventListener('click', () => {
    one('#find').value = '';
    one('#conclusion').value = '';
    apply();
    one('#find').focus();
  });
  apply();

  // A population is unpacked when it is opened, and drawn a page at a time.
  const pageSize = 100;
  const unpack = async id => {
    const packed = atob(document.getElementById(id).textContent.trim());
    const bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
  };
  const badge = result => make('span', `badge ${result.split(' ')[0]}`, result);
  const draw = (body, items) => body.replaceChildren(...items.map(([test, place, item, result, id, reason, approval, attributes]) => {
    const row = make('tr');
    const verdict = make('td', 'nowrap');
    verdict.append(badge(result));
    const name = make('td', 'item');
    name.append(make('code', '', item));
    for (const why of [id, reason, approval]) if (why) name.append(make('span', 'why', why));
    const shown = make('td', 'item');
    for (let i = 0; i < attributes.length; i += 2) {
      if (i) shown.append('; ');
      shown.append(make('span', 'k', `${attributes[i]} `), attributes[i + 1] === '' ? '–' : attributes[i + 1]);
    }
    row.append(make('td', 'nowrap', test), make('td', '', place), name, verdict, shown);
    return row;
  }));
  const open = async details => {
    const box = one('.load', details);
    const status = one('.count-shown', details);
    if (!('DecompressionStream' in globalThis)) {
      status.textContent = 'This browser cannot unpack the items; they are in results.csv and workpaper.xlsx.';
      return;
    }
    status.textContent = 'Unpacking…';
    const items = await unpack(details.dataset.items);
    const haystack = items.map(i => `${i.slice(0, 7).join('\n')}\n${i[7].join('\n')}`.toLowerCase());
    const find = one('.find', details);
    const only = one('.only', details);
    const [before, after] = all('.pages button', details);
    let found = [];
    let page = 0;
    const turn = () => {
      draw(one('tbody', details), found.slice(page * pageSize, (page + 1) * pageSize).map(i => items[i]));
      const to = Math.min(found.length, (page + 1) * pageSize);
      status.textContent = found.length === 0 ? `none of ${number(items.length)} items` : `${number(page * pageSize + 1)} to ${number(to)} of ${number(found.length)}${found.length === items.length ? '' : ` found among ${number(items.length)}`} items`;
      before.disabled = page === 0;
      after.disabled = to === found.length;
    };
    const search = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(w => w);
      found = [];
      for (let i = 0; i < items.length; i++) {
        if ((!only.value || items[i][3] === only.value) && words.every(w => haystack[i].includes(w))) found.push(i);
      }
      page = 0;
      turn();
    };
    find.addEventListener('input', search);
    only.addEventListener('input', search);
    before.addEventListener('click', () => { page--; turn(); });
    after.addEventListener('click', () => { page++; turn(); });
    box.hidden = false;
    search();
  };
  for (const details of all('.population')) {
    details.addEventListener('toggle', () => {
      if (!details.open || details.dataset.opened) return;
      details.dataset.opened = 'yes';
      open(details).catch(error => { one('.count-shown', details).textContent = `The items cannot be unpacked: ${error.message}`; });
    });
  }

  // A link to an exception opens it; paper shows what the screen folds away.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener('hashchange', reveal);
  reveal();
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = all('details:not([open]):not(.population)');
    closed.forEach(d => { d.open = true; });
  });
  addEventListener('afterprint', () => closed.forEach(d => { d.open = false; }));
})();
