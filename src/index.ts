import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { api, openers } from './api/plugin';
import { data } from './data/plugin';
import { deploy } from './deploy/plugin';
import { develop } from './develop/plugin';
import { monitor } from './monitor/plugin';
import { operate } from './operate/plugin';
import { problem } from './problem/plugin';
import { sidebar } from './sidebar/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  openers,
  api,
  sidebar,
  problem,
  data,
  develop,
  deploy,
  monitor,
  operate
];

export default plugins;
