import { useEffect, useState } from 'react';

/** The name of JupyterLab's theme, for what must read colours out of it. */
export function useTheme(): string {
  const [theme, setTheme] = useState(themeName);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(themeName()));
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

function themeName(): string {
  return `${document.body.dataset['jpThemeName']} ${document.body.dataset['jpThemeLight']}`;
}

/** What a variable of the theme says here, such as `--jp-ui-font-color1`. */
export function themeValue(node: HTMLElement, name: string): string {
  return getComputedStyle(node).getPropertyValue(name).trim();
}
