import { useState } from 'react';

import { useTrans } from '../../kit';
import { Deployment } from './deployment';
import { DeployForm } from './form';

export interface DeploySideProps {
  model?: string | undefined;
  endpoint?: string | undefined;
  notebook: string;
  copy: (text: string) => void;
}

/** The side form: the form, and after the click what came of it, in the same place. */
export default function DeploySide(props: DeploySideProps): JSX.Element {
  const trans = useTrans();
  const [deployed, setDeployed] = useState<{ name: string; since: number } | null>(null);
  return (
    <div className="pj-Deploy-side" role="region" aria-label={trans.__('Deploy model')}>
      {deployed === null ? (
        <>
          <h2 className="pj-Deploy-title">{trans.__('Deploy model')}</h2>
          <DeployForm {...props} onDeployed={({ name }, since) => setDeployed({ name, since })} />
        </>
      ) : (
        <Deployment {...deployed} copy={props.copy} onBack={() => setDeployed(null)} />
      )}
    </div>
  );
}
