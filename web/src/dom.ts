// Small helpers to build elements. Text always goes in as text, never as HTML.

type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

function fill<T extends Element>(node: T, props: Props, children: Child[]): T {
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value as EventListener);
    else if (key === 'style') node.setAttribute('style', String(value));
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return node;
}

export const el = <K extends keyof HTMLElementTagNameMap>(name: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] =>
  fill(document.createElement(name), props, children);

export const svg = <K extends keyof SVGElementTagNameMap>(name: K, props: Props = {}, ...children: Child[]): SVGElementTagNameMap[K] =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), props, children);

export const byId = <T extends HTMLElement = HTMLElement>(id: string): T => {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node as T;
};

const ICONS = {
  left: 'M14.5 6l-6 6 6 6',
  right: 'M9.5 6l6 6-6 6',
  leftLook: 'M18 6l-6 6 6 6M7 6v12',
  rightLook: 'M6 6l6 6-6 6M17 6v12',
  play: 'M8 5.5v13l10.5-6.5z',
  stop: 'M8 6v12M16 6v12',
  plus: 'M12 6v12M6 12h12',
  minus: 'M6 12h12',
  close: 'M7 7l10 10M17 7L7 17',
  link: 'M10 14a4 4 0 0 0 6 .4l2.6-2.6a4 4 0 0 0-5.7-5.7L11.6 7.4M14 10a4 4 0 0 0-6-.4l-2.6 2.6a4 4 0 0 0 5.7 5.7l1.3-1.3',
  theme: 'M12 4a8 8 0 1 0 8 8 6.2 6.2 0 0 1-8-8z',
} as const;

export const icon = (name: keyof typeof ICONS): SVGSVGElement =>
  svg('svg', { viewBox: '0 0 24 24', width: 20, height: 20, fill: name === 'play' ? 'currentColor' : 'none', stroke: 'currentColor', 'stroke-width': 1.9, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' },
    svg('path', { d: ICONS[name] }));
