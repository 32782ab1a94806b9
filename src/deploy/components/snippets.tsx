import { useEffect, useState } from 'react';

import { Button } from '../../kit/button';
import { useTrans } from '../../kit/services';
import { Tabs } from '../../kit/tabs';

const TITLES: Record<string, string> = { curl: 'curl', python: 'Python', http: 'httpx' };
/** How long the button says that it has copied, in milliseconds. */
const COPIED_FOR = 2000;

export interface CopyProps {
  text: string;
  /** Puts text into the clipboard. */
  copy: (text: string) => void;
}

/** A link that copies a text, and says that it has. */
export function Copy({ text, copy }: CopyProps): JSX.Element {
  const trans = useTrans();
  const [copied, setCopied] = useState('');

  useEffect(() => {
    const timer = setTimeout(() => setCopied(''), COPIED_FOR);
    return () => clearTimeout(timer);
  }, [copied]);

  return (
    <Button
      look="link"
      onClick={() => {
        copy(text);
        setCopied(text);
      }}
    >
      <span aria-live="polite">{copied === text ? trans.__('Copied') : trans.__('Copy')}</span>
    </Button>
  );
}

export interface SnippetsProps {
  /** Language to code. */
  snippets: Readonly<Record<string, string>>;
  copy: (text: string) => void;
}

/** Code that calls the endpoint, a tab for each language. */
export function Snippets({ snippets, copy }: SnippetsProps): JSX.Element | null {
  const trans = useTrans();
  const [chosen, setChosen] = useState('');
  const languages = Object.keys(snippets);
  const language = languages.includes(chosen) ? chosen : languages[0];
  if (language === undefined) {
    return null;
  }
  const code = snippets[language] ?? '';
  return (
    <Tabs
      label={trans.__('Language')}
      tabs={languages.map(id => ({ id, label: TITLES[id] ?? id }))}
      current={language}
      onChange={setChosen}
    >
      <div className="pj-Deploy-snippet">
        <pre className="pj-Deploy-code" tabIndex={0}>
          <code>{code}</code>
        </pre>
        <Copy text={code} copy={copy} />
      </div>
    </Tabs>
  );
}
