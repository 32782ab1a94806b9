import { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

/** One line of a menu; null is a line between. */
export interface IMenuItem {
  label: string;
  act: () => void;
}

/** Open a menu at a place of the window; it is gone when it closes. */
export function openMenu(items: readonly (IMenuItem | null)[], x: number, y: number): void {
  const commands = new CommandRegistry();
  const menu = new Menu({ commands });
  items.forEach((item, index) => {
    if (item === null) {
      menu.addItem({ type: 'separator' });
      return;
    }
    const command = `item-${index}`;
    commands.addCommand(command, { label: item.label, execute: item.act });
    menu.addItem({ command });
  });
  // The command runs after the menu has closed: it is disposed of after that.
  menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
  menu.open(x, y);
}
