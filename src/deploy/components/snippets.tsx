import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';

import { TabList } from './tablist';

const TITLES: Record<string, string> = { curl: 'curl', python: 'Python' };
/** How long the button says that it has copied. */
const COPIED_FOR = 2000;

export interface SnippetsProps {
  /** Language to code. */
  snippets: Readonly<Record<string, string>>;
  copy: (text: string) => void;
  trans: TranslationBundle;
}

/** Code that calls the endpoint, a tab for each language. */
export function Snippets({ snippets, copy, trans }: SnippetsProps): JSX.Element | null {
  const languages = Object.keys(snippets);
  const [chosen, setChosen] = useState('');
  const [copied, setCopied] = useState(false);
  const language = languages.includes(chosen) ? chosen : languages[0];

  useEffect(() => {
    if (!copied) {
      return;
    }
    const timer = setTimeout(() => setCopied(false), COPIED_FOR);
    return () => clearTimeout(timer);
  }, [copied]);

  if (language === undefined) {
    return null;
  }
  const code = snippets[language] ?? '';
  return (
    <TabList
      label={trans.__('Language')}
      tabs={languages.map(id => ({ id, label: TITLES[id] ?? id }))}
      selected={language}
      onSelect={id => {
        setChosen(id);
        setCopied(false);
      }}
      aside={
        <button
          type="button"
          className="pj-deploy-link"
          onClick={() => {
            copy(code);
            setCopied(true);
          }}
        >
          <span aria-live="polite">{copied ? trans.__('Copied') : trans.__('Copy')}</span>
        </button>
      }
    >
      <pre className="pj-deploy-code" tabIndex={0}>
        <code>{code}</code>
      </pre>
    </TabList>
  );
}
