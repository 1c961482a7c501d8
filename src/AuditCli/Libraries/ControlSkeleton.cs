using AuditCli.Collectors;
using AuditCli.Controls;

namespace AuditCli.Libraries;

/// <summary>
/// The files with which a new control begins. They load, validate and pass their own cases: items of the source are looked for on a register, which
/// is a test of its own, and what the author must write stands out as TODO.
/// </summary>
internal sealed record ControlSkeleton(string Control, string Fixtures)
{
    /// <param name="source">The source whose code the ID has; null if none has it, so that the items come from a file.</param>
    /// <param name="library">The folder of the library, as the commands in the file name it.</param>
    public static ControlSkeleton Of(string id, ItgcDomain domain, CollectorEntry? source, string library) => source is null
        ? new(OfFile(id, Head(id, domain, library)), FixturesOfFile())
        : new(OfSource(id, Head(id, domain, library), source), FixturesOfSource(source.NewControl.Item));

    private static string OfSource(string id, string head, CollectorEntry source) => $$"""
        {{head}}
        evidence:
          # What else there is: auditcli controls columns {{source.Source.Name}} OPERATION
          items:    { {{source.Source.Name}}: "{{source.NewControl.Operation}}" }
          register: { file: {{id.ToLowerInvariant()}}-register, columns: { item: { type: text, key: true }, owner: text } }
        {{Tests($"i.{source.NewControl.Item}")}}
        """.ReplaceLineEndings("\n");

    private static string OfFile(string id, string head) => $$"""
        {{head}}
        evidence:
          items:    { file: {{id.ToLowerInvariant()}}-items, columns: { item: { type: text, key: true } } }
          register: { file: {{id.ToLowerInvariant()}}-register, columns: { item: { type: text, key: true }, owner: text } }
        {{Tests("i.item")}}
        """.ReplaceLineEndings("\n");

    private static string Head(string id, ItgcDomain domain, string library) => $$"""
        # What each key means: controls/README.md of AuditCli. Replace what is marked TODO, then
        # auditcli controls validate --controls {{library}}, then
        # auditcli controls test {{id}} --controls {{library}}
        schema: 1
        id: {{id}}
        version: 1.0.0
        title: "TODO: what holds when the control holds, in one line"
        objective: "TODO: what must be true."
        risk: "TODO: what happens if it is not."
        domain: {{ControlFilter.WordOf(domain)}}
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: false
        owner: "TODO: who answers for the control"
        references: {}   # such as { soc2-tsc: [CC6.1] }; auditcli coverage lists frameworks and clauses
        """;

    private static string Tests(string item) => $$"""
        completeness:
          none: "TODO: count the items in a second, independent way, or say why there is none."
        tests:
          - id: T1
            title: Every item is on the register, with an owner
            sql: |
              SELECT {{item}} AS item,
                     EXISTS (SELECT 1 FROM register r WHERE r.item = {{item}} AND r.owner IS NOT NULL) AS pass,
                     'not on the register, or without an owner' AS reason
              FROM items i
        # A question that only a person can answer: human_attributes: [{ id: H1, question: "Was it reviewed?" }]. While it is open the control
        # is NEEDS_REVIEW, so the cases that pass, and those with nothing to test, answer it: answers: { H1: yes }
        recommendation: "TODO: what to do about an exception."

        """;

    private static string FixturesOfSource(string item) => $$"""
        # The smallest cases that a control must have: it passes, it fails, there is nothing to test, the request is denied.
        cases:
          - name: on the register
            inputs: { register: { rows: [{ item: first, owner: R. Owner }] } }
            partitions: { "111122223333": { evidence: { items: { rows: [{ {{item}}: first }] } } } }
            expect: { conclusion: PASS }

          - name: not on the register, and one without an owner
            inputs: { register: { rows: [{ item: first, owner: R. Owner }, { item: third }] } }
            partitions: { "111122223333": { evidence: { items: { rows: [{ {{item}}: first }, { {{item}}: second }, { {{item}}: third }] } } } }
            expect: { conclusion: FAIL, deviations: [second, third] }

          - name: nothing to test
            inputs: { register: { rows: [] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: NO_OCCURRENCE }

          - name: denied
            inputs: { register: { rows: [] } }
            partitions: { "111122223333": { evidence: { items: { outcome: failed, code: AccessDenied } } } }
            expect: { conclusion: INCONCLUSIVE }

        """.ReplaceLineEndings("\n");

    private static string FixturesOfFile() => """
        # The smallest cases that a control must have: it passes, it fails, there is nothing to test.
        cases:
          - name: on the register
            inputs: { items: { rows: [{ item: first }] }, register: { rows: [{ item: first, owner: R. Owner }] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: PASS }

          - name: not on the register, and one without an owner
            inputs:
              items: { rows: [{ item: first }, { item: second }, { item: third }] }
              register: { rows: [{ item: first, owner: R. Owner }, { item: third }] }
            partitions: { "111122223333": {} }
            expect: { conclusion: FAIL, deviations: [second, third] }

          - name: nothing to test
            inputs: { items: { rows: [] }, register: { rows: [] } }
            partitions: { "111122223333": {} }
            expect: { conclusion: NO_OCCURRENCE }

        """.ReplaceLineEndings("\n");
}
