'use strict';
for (const table of document.querySelectorAll('table.sorted')) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], rows = [...body.rows];
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      rows.sort((a, b) => (down ? -1 : 1) * value(a, column).localeCompare(value(b, column), undefined, { numeric: true }));
      body.append(...rows);
    });
  });
}
for (const table of document.querySelectorAll('table.filtered')) {
  const rows = [...table.tBodies[0].rows], tools = document.createElement('div'), field = document.createElement('input');
  tools.className = 'tools';
  field.type = 'search';
  field.placeholder = table.dataset.filter;
  field.setAttribute('aria-label', table.dataset.filter);
  field.addEventListener('input', () => {
    const wanted = field.value.toLowerCase().split(/\s+/);
    rows.forEach(row => { row.hidden = !wanted.every(word => row.textContent.toLowerCase().includes(word)); });
  });
  tools.append(field);
  table.parentElement.before(tools);
}
