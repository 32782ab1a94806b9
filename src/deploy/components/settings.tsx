import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { ValidatorType } from '@rjsf/utils';

import { useTrans } from '../../kit/services';

/**
 * Finds nothing wrong: the server checks the settings against the struct that the schema was made
 * from, and a second validator in the browser would cost more than the rest of this step.
 */
const trusting: ValidatorType<ReadonlyJSONObject> = {
  isValid: () => true,
  rawValidation: () => ({ errors: [] }),
  toErrorList: () => [],
  validateFormData: () => ({ errors: [], errorSchema: {} })
};

export interface TargetSettingsProps {
  schema: Readonly<Record<string, unknown>>;
  values: ReadonlyJSONObject;
  onChange: (values: ReadonlyJSONObject) => void;
}

/** The settings of a target, from their JSON Schema. A module of its own, to be loaded late. */
export default function TargetSettings(props: TargetSettingsProps): JSX.Element {
  const trans = useTrans();
  return (
    <div
      className="pj-Deploy-settings"
      role="group"
      aria-label={trans.__('Settings of the target')}
    >
      <FormComponent
        schema={props.schema}
        validator={trusting}
        formData={props.values}
        compact
        tagName="div"
        onChange={event => props.onChange(event.formData ?? {})}
      />
    </div>
  );
}
