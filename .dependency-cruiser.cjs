const STEPS = 'problem|data|develop|deploy|monitor|operate';

/** What of the kit needs JupyterLab itself. */
const LAB = '^src/kit/(act|job|lab|page|outputs|icons)\\.';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle makes the order of evaluation matter.',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'steps-meet-in-tokens',
      comment: "A step may import nothing of another step except that step's tokens.ts.",
      severity: 'error',
      from: { path: `^src/(${STEPS}|sidebar)/` },
      to: {
        path: `^src/(${STEPS}|sidebar)/`,
        pathNot: ['^src/$1/', `^src/(${STEPS}|sidebar)/tokens\\.ts$`]
      }
    },
    {
      name: 'api-and-kit-know-no-step',
      comment: 'What all steps share must not depend on one of them.',
      severity: 'error',
      from: { path: '^src/(api|kit)/' },
      to: { path: `^src/(${STEPS}|sidebar)/` }
    },
    {
      name: 'api-knows-no-kit',
      comment: 'The client has no user interface.',
      severity: 'error',
      from: { path: '^src/api/' },
      to: { path: '^src/kit/' }
    },
    {
      name: 'kit-components-know-no-jupyterlab',
      comment:
        'A component and its test load in a moment; what needs JupyterLab at run time is in ./lab.',
      severity: 'error',
      from: { path: '^src/kit/', pathNot: [LAB, '/__tests__/'] },
      to: {
        path: '^(node_modules/@jupyterlab/|src/kit/(act|job|lab|page|outputs|icons)\\.)',
        dependencyTypesNot: ['type-only', 'type-import'],
        dynamic: false
      }
    },
    {
      name: 'plugins-only-in-index',
      comment: 'A plugin is put together in its own plugin.ts and listed in src/index.ts.',
      severity: 'error',
      from: { pathNot: ['^src/index\\.ts$', '/__tests__/'] },
      to: { path: '^src/.+/plugin\\.tsx?$' }
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      from: { pathNot: '/__tests__/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types']
    }
  }
};
