// What was done for a task: the steps of its trace as bars over time, and what it used.
import {h} from './dom.js';

export function trace(task, result, steps) {
  const usage = result.usage ?? {};
  const facts = [
    ['Task', task.id], ['Context', task.contextId], ['Time', usage.seconds === undefined ? null : `${usage.seconds} s`], ['Pages', usage.pages],
    ['Model', usage.model ?? 'none: the embedded engine alone'], ['Tokens in, out', usage.model ? `${usage.input_tokens}, ${usage.output_tokens}` : null],
    ['Cost', usage.model ? (usage.cost_usd === null ? 'unknown price' : `$${usage.cost_usd}`) : null],
    ['SHA-256', result.document.sha256],
  ];
  return h('div', {class: 'trace'},
    h('dl', {class: 'reasons'}, facts.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h('dt', {text: name}), h('dd', {}, h('code', {text: String(value)}))])),
    steps?.steps?.length ? waterfall(steps) : h('p', {class: 'hint', text: 'No calls of a model or of tools were traced: the PDF server did it in one call.'}));
}

function waterfall({steps, left_out: left}) {
  const end = Math.max(...steps.map((step) => step.at_s), 0.001);
  return h('div', {},
    h('ol', {class: 'waterfall'}, steps.map((step) => {
      const took = step.seconds ?? 0;
      return h('li', {},
        h('span', {class: 'step', text: [step.step, step.model ?? step.tool ?? step.name].filter(Boolean).join(' ')}),
        h('span', {class: 'track', 'aria-hidden': 'true'}, h('i', {class: step.step, style: {left: `${(100 * Math.max(0, step.at_s - took)) / end}%`, width: `${Math.max(0.6, (100 * took) / end)}%`}})),
        h('span', {class: 'took', text: took ? `${Math.round(took * 1000)} ms` : `at ${step.at_s} s`}),
        h('details', {}, h('summary', {text: facts(step)}), h('pre', {class: 'code wrap', text: JSON.stringify(step, null, 2)})));
    })),
    left ? h('p', {class: 'hint', text: `${left} further steps were left out.`}) : null);
}

function facts(step) {
  const told = [];
  if (step.outcome) told.push(step.outcome);
  if (step.input_tokens !== undefined) told.push(`${step.input_tokens} + ${step.output_tokens ?? 0} tokens`);
  if (step.cost_usd) told.push(`$${step.cost_usd}`);
  if (step.cached) told.push('cached');
  return told.join(' · ') || 'details';
}
