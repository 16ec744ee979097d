// Building the page. Text only ever becomes text nodes: nothing that comes from a job is parsed as HTML.

export const $ = id => document.getElementById(id);

/** h('td', {class: 'n', onclick: f}, 'text', node, …); children that are null or false are left out. */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else el.setAttribute(name, value === true ? '' : value);
  }
  el.append(...children.filter(c => c !== null && c !== undefined && c !== false));
  return el;
}

/** Changes only what differs, so that selections, focus and screen readers are left in peace. */
export function setText(el, text) {
  text = String(text);
  if (el.textContent !== text) el.textContent = text;
}

export function setAttr(el, name, value) {
  if (value === null || value === false) el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

export function setClass(el, name, on) {
  if (el.classList.contains(name) !== !!on) el.classList.toggle(name, !!on);
}

/** Makes `parent` hold one element per item, in order: kept by key, made by make(item), brought up to date by update(el, item). */
export function list(parent, items, key, make, update) {
  const had = new Map([...parent.children].map(el => [el.dataset.key, el]));
  let at = parent.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    let el = had.get(k);
    had.delete(k);
    if (!el) {
      el = make(item);
      el.dataset.key = k;
    }
    if (el === at) at = at.nextElementSibling;
    else parent.insertBefore(el, at);
    update(el, item);
  }
  for (const el of had.values()) el.remove();
}

let hideToast;
export function toast(text) {
  const el = $('toast');
  el.textContent = text;
  el.hidden = false;
  clearTimeout(hideToast);
  hideToast = setTimeout(() => { el.hidden = true; }, 5000);
}
