/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers that carry modifiers: these are pressed while such a layer counts, but not with the keys that
 * the layer itself has an action for.
 *
 * Which ones are pressed is worked out anew at each event, from the layers that count then, so that none
 * stays when those end. Those of a one-shot layer are pressed with its key, not before.
 */
#ifndef SCXHID_REMAP_MODIFIERS_H
#define SCXHID_REMAP_MODIFIERS_H

#include "machine.h"

/* Of all layers that count but one; of the one-shot that waits only if it is asked for. */
__noinline int carried_but(u32 except, bool with_oneshot)
{
	const struct rules *t = current_rules();
	u32 n, carried = 0;

	if (!t)
		return 0;
	bpf_for(n, 0, NR_LAYERS) {
		if (!(t->carriers >> n & 1) || n == except)
			continue;
		if (machine.held_layers[n & (NR_LAYERS - 1)] || machine.toggled >> n & 1 ||
		    (with_oneshot && n == machine.oneshot))
			carried |= t->carried[n & (NR_LAYERS - 1)];
	}
	return carried;
}

/* What changes is seen before what comes next. */
__noinline int press_modifiers(u32 wanted, u32 from)
{
	u32 n, changed = wanted ^ machine.modifiers;
	u8 *output;

	if (!changed)
		return 0;
	bpf_for(n, 0, NR_MODIFIERS) {
		if (!(changed >> n & 1))
			continue;
		output = &machine.modifier_outputs[n & (NR_MODIFIERS - 1)];
		if (wanted >> n & 1)
			*output = choose_output(CODE_MODIFIERS + n, from);
		add_thing(*output, (CODE_MODIFIERS + n) | (wanted >> n & 1 ? STEP_DOWN : 0));
	}
	machine.modifiers = wanted;
	machine.nr_taken++;
	return 0;
}

/* Those that are to stay pressed. */
static __always_inline void settle_modifiers(const struct rules *t, u32 from)
{
	if (t->carriers || machine.modifiers)
		press_modifiers(carried_but(0, false), from);
}

/* Of what is pressed, modifiers that the action presses by itself: they need not go up for it. */
static __always_inline u32 pressed_anyway(const struct action *action)
{
	u32 n, which, found = 0;

	if (action->kind != ACTION_KEYS)
		return 0;
	bpf_for(n, 0, action->nr) {
		which = action->codes[n & (MOST_KEYS - 1)] - CODE_MODIFIERS;
		if (which < NR_MODIFIERS)
			found |= 1 << which;
	}
	return found & machine.modifiers;
}

/* The key does what the action says that machine.layer has for it. */
__noinline int press_in_layer(u32 code, u32 number, u32 from)
{
	const struct rules *t = current_rules();
	const struct action *action;

	if (!t)
		return 0;
	action = &t->actions[number & (NR_ACTIONS - 1)];
	if (!t->carriers && !machine.modifiers)
		return press(code, number, from);
	if (!number || action->kind == ACTION_KEYS || action->kind == ACTION_MACRO)
		press_modifiers(carried_but(machine.layer, true) | pressed_anyway(action), from);
	press(code, number, from);
	if (number && action->kind != ACTION_KEYS)
		settle_modifiers(t, from);
	return 0;
}

#endif /* SCXHID_REMAP_MODIFIERS_H */
