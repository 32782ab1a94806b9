/** Commands that belong to no single step. */
export namespace CommandIDs {
  /** Show the sidebar. */
  export const openSidebar = 'perijove:open-sidebar';
  /** Open what a reference names: `{ ref }`, such as `data:builds@3`. */
  export const open = 'perijove:open';
  /** Ask the server anew for everything that is shown. */
  export const refresh = 'perijove:refresh';
  /** Make another project the current one: `{ path }`. */
  export const switchProject = 'perijove:switch-project';
  /** Make a project in a folder: `{ path? }`. */
  export const createProject = 'perijove:create-project';
  /** Make the example project, or switch to it. */
  export const openExample = 'perijove:open-example';
  /** Open `perijove.toml` of the current project in an editor. */
  export const editProjectFile = 'perijove:edit-project-file';
}
