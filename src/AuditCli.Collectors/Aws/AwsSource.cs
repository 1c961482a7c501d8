using System.Collections.Immutable;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>What AWS offers, as plain data. A service's part of the catalogue is read when it is first asked for.</summary>
public static class AwsSource
{
    /// <summary>The word control and engagement authors write.</summary>
    public const string Name = "aws";

    /// <summary>The source with its operations; cheap, and shareable between threads.</summary>
    public static EvidenceSource Create()
    {
        var catalogue = new AwsCatalogue();
        return new(
            Name,
            [
                new("profile", TargetSettingForm.Text, false, []),
                new("role_arn", TargetSettingForm.Text, false, []),
                new("external_id", TargetSettingForm.Text, false, []),
                new("regions", TargetSettingForm.TextOrList, false, ["enabled"]),
            ],
            name => catalogue.Find(name) is var (service, operation) ? Describe(service, operation) : null,
            name => Suggestions.For(catalogue, name));
    }

    private static Operation Describe(ServiceModel service, OperationModel operation) => new(
        Name, $"{service.Name}:{operation.Name}", operation.Scope,
        Parameters(service, operation),
        CredentialReport.Is(service, operation) ? CredentialReport.Columns : AnswerRows.Columns(service, operation),
        // The report is made before it is read.
        CredentialReport.Is(service, operation) ? service.Operation("GenerateCredentialReport")?.SideEffect : operation.SideEffect)
    {
        Reads = CredentialReport.Is(service, operation) ? CredentialReport.Reads : [$"{service.Name}:{operation.Name}"],
    };

    /// <summary>Page tokens are left out: every page is read.</summary>
    private static ImmutableArray<OperationParameter> Parameters(ServiceModel service, OperationModel operation)
    {
        if (operation.Input is not { } input)
            return [];
        var shape = (ShapeModel.Structure)service.Shape(input);
        return
        [
            .. shape.Members
                .Where(m => operation.Pager?.Inputs.Contains(m.Name) != true)
                .Select(m => new OperationParameter(m.Name, m.Column, shape.Required.Contains(m.Name))),
        ];
    }
}
