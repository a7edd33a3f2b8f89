let navigate: (href: string) => void = (href) => location.assign(href);

/** Who goes to addresses without loading the page anew: the router, once it is there. */
export function onGo(how: (href: string) => void): void {
  navigate = how;
}

/** Goes to an address of this page. */
export function goTo(href: string): void {
  navigate(href);
}
