"""What AuditCli decided about the read operations of AWS, one by one and with a reason.

A verb says that an operation reads, not that what it reads may be read: some hand out secrets, credentials or customers'
data, and some change something. generate.py raises an alarm where a name, a member of the answer or the form of the answer
suggests that (alarms.py), and stops at an operation that raises one and is not decided here. A newer botocore
therefore brings nothing in unnoticed.
"""
import json
import os

from facts import names

# The rule for contents of logs, which is the same for every provider.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../log_contents.json'), encoding='utf-8') as rule:
    LOGS = json.load(rule)


def by_reason(groups):
    return {name: reason for reason, text in groups.items() for name in names(text)}


# Operations without a read verb that are needed, and what they change at the provider.
SIDE_EFFECTS = {
    'iam:GenerateCredentialReport': 'starts the credential report when there is none younger than four hours',
    'iam:GenerateServiceLastAccessedDetails': 'starts a report job about last accessed services',
    'iam:GenerateOrganizationsAccessReport': 'starts a report job about last accessed services of the organization',
}

# Services whose every read hands out data or serves a device or a signed-in person, today's operations and tomorrow's.
DATA_SERVICES = {
    'apigatewaymanagementapi': 'it serves the connections of an API, not its configuration',
    'appconfigdata': 'it hands configuration data to an application',
    'bedrock-agent-runtime': 'it returns what was said to agents',
    'bedrock-agentcore': 'it returns sessions, memories and tokens of agents',
    'cloudfront-keyvaluestore': 'it returns data, and takes only signatures of version 4A, which AuditCli does not make',
    'cloudsearchdomain': 'it returns documents',
    'connect-contact-lens': 'it returns conversations',
    'connectparticipant': 'it serves a person in a conversation',
    'codecatalyst': 'it takes a bearer token and no signature, which AuditCli does not speak',
    'ebs': 'it returns blocks of snapshots, or the tokens to read them',
    'geo-maps': 'it returns maps, each billed',
    'geo-places': 'it returns places, each billed',
    'importexport': 'it takes only signatures of version 2, which AuditCli does not make',
    'iot-data': 'it returns messages and shadows of devices',
    'iot-jobs-data': 'it serves a device',
    'iotevents-data': 'it returns what detectors know of devices',
    'kinesis-video-archived-media': 'it returns video',
    'kinesis-video-media': 'it returns video',
    'kinesis-video-signaling': 'it returns credentials of relays',
    'lex-runtime': 'it returns conversations',
    'lexv2-runtime': 'it returns conversations',
    'personalize-runtime': 'it returns recommendations for persons',
    'sagemaker-edge': 'it serves a device',
    'sagemaker-featurestore-runtime': 'it returns records of the feature store',
    'sdb': 'it returns data, and takes only signatures of version 2, which AuditCli does not make',
    'sso': 'it serves a signed-in person and takes that person\'s token; sso-admin has the configuration',
    'workmailmessageflow': 'it returns mail',
}

REFUSED = by_reason({
    'it returns secret values': """
        secretsmanager:GetSecretValue BatchGetSecretValue GetRandomPassword
        ssm:GetParameter GetParameters GetParametersByPath GetParameterHistory
        apigateway:GetUsagePlanKey GetUsagePlanKeys
        cognito-idp:ListUserPoolClientSecrets
        directconnect:DescribeRouterConfiguration
        ec2:GetVpnConnectionDeviceSampleConfiguration
        elasticbeanstalk:DescribeConfigurationSettings
        glue:GetConnection GetConnections
        iot:GetRegistrationCode
        iotwireless:GetWirelessDevice
        ivs:GetStreamKey BatchGetStreamKey
        ivs-realtime:GetIngestConfiguration
        location:DescribeKey
        pca-connector-scep:GetChallengePassword
        pinpoint:GetBaiduChannel GetGcmChannel
        snowball:GetJobUnlockCode GetJobManifest
        storagegateway:DescribeChapCredentials
        wickr:GetOidcInfo GetOpentdfConfig""",
    'it returns credentials': """
        sts:GetSessionToken GetFederationToken GetWebIdentityToken GetDelegatedAccessToken
        amplifybackend:GetToken
        athena:GetSessionEndpoint
        chime:GetBot ListBots
        chime-sdk-meetings:GetAttendee ListAttendees
        codeartifact:GetAuthorizationToken
        codepipeline:GetJobDetails GetThirdPartyJobDetails
        cognito-identity:GetCredentialsForIdentity GetOpenIdToken GetOpenIdTokenForDeveloperIdentity
        cognito-idp:GetTokensFromRefreshToken
        connect:GetFederationToken
        datazone:GetConnection GetEnvironmentCredentials
        ec2:GetPasswordData
        ecr:GetAuthorizationToken
        ecr-public:GetAuthorizationToken
        emr:GetClusterSessionCredentials
        emr-containers:GetManagedEndpointSessionCredentials
        emr-serverless:GetSessionEndpoint
        finspace:GetKxConnectionString
        finspace-data:GetProgrammaticAccessCredentials GetExternalDataViewAccessDetails
        gamelift:GetComputeAccess GetComputeAuthToken GetInstanceAccess GetPlayerConnectionDetails
        lakeformation:GetTemporaryDataLocationCredentials GetTemporaryGluePartitionCredentials GetTemporaryGlueTableCredentials
            GetWorkUnits
        license-manager:GetAccessToken
        lightsail:GetInstanceAccessDetails GetRelationalDatabaseMasterUserPassword
        quicksight:GetIdentityContext
        redshift:GetClusterCredentials GetClusterCredentialsWithIAM GetIdentityCenterAuthToken
        redshift-serverless:GetCredentials GetIdentityCenterAuthToken
        s3:CreateSession
        s3control:GetDataAccess
        ssm:GetAccessToken""",
    'it returns a signed URL, which opens to whoever has it': """
        amplify:GetArtifactUrl ListArtifacts
        artifact:GetReport GetTermForReport
        athena:GetResourceDashboard
        auditmanager:GetAssessmentReportUrl GetEvidenceFileUploadUrl
        connect:GetAttachedFile GetPromptFile
        connecthealth:GetPatientInsightsJob
        customer-profiles:GetUploadJobPath
        datazone:GetIamPortalLoginUrl
        devicefarm:GetUpload ListUploads ListArtifacts ListTestGridSessionArtifacts
        ecr:GetDownloadUrlForLayer
        elbv2:GetTrustStoreCaCertificatesBundle GetTrustStoreRevocationContent
        emr:GetOnClusterAppUIPresignedURL GetPersistentAppUIPresignedURL
        emr-serverless:GetDashboardForJobRun GetResourceDashboard
        gamelift:GetGameSessionLogUrl
        greengrassv2:GetComponentVersionArtifact
        groundstation:GetAgentTaskResponseUrl
        inspector:GetAssessmentReport
        inspector2:GetCisScanReport
        invoicing:GetInvoicePDF
        iotdeviceadvisor:GetSuiteRunReport
        lambda:GetLayerVersion GetLayerVersionByArn
        lex-models:GetExport
        lexv2-models:DescribeExport DescribeBotResourceGeneration DescribeTestSetDiscrepancyReport GetTestExecutionArtifactsUrl
        m2:GetSignedBluinsightsUrl
        mturk:GetFileUploadURL
        qconnect:GetContent GetImportJob
        quicksight:DescribeAssetBundleExportJob DescribeDashboardSnapshotJobResult GetDashboardEmbedUrl GetSessionEmbedUrl
        security-ir:GetCaseAttachmentDownloadUrl GetCaseAttachmentUploadUrl
        serverlessrepo:GetCloudFormationTemplate
        ssm:GetDeployablePatchSnapshotForInstance
        taxsettings:GetTaxRegistrationDocument
        transcribe:GetCallAnalyticsJob GetMedicalTranscriptionJob GetMedicalVocabulary GetTranscriptionJob GetVocabulary
            GetVocabularyFilter
        translate:GetParallelData GetTerminology
        wisdom:GetContent GetImportJob
        workdocs:DescribeDocumentVersions DescribeFolderContents GetDocument GetDocumentVersion""",
    'it returns a signed URL to the code; lambda:GetFunctionConfiguration gives the configuration': 'lambda:GetFunction',
    'it returns data, not configuration': """
        appconfig:GetConfiguration GetHostedConfigurationVersion
        athena:GetQueryResults
        chime-sdk-messaging:GetChannelMessage ListChannelMessages
        clouddirectory:GetLinkAttributes GetObjectAttributes ListIndex ListObjectAttributes
        codeguruprofiler:GetProfile
        cognito-sync:ListRecords
        connect:BatchDescribeDataTableValue DescribeContact DescribeContactEvaluation GetContactAttributes
            ListAssociatedContacts ListContactReferences ListDataTablePrimaryValues ListDataTableValues
            ListRealtimeContactAnalysisSegmentsV2 SearchContactEvaluations SearchContacts
        connectcases:GetCase GetCaseAuditEvents ListCasesForContact SearchAllRelatedItems SearchCases SearchRelatedItems
        connecthealth:GetMedicalScribeListeningSession
        customer-profiles:BatchGetCalculatedAttributeForProfile BatchGetProfile GetCalculatedAttributeForProfile GetMatches
            GetProfileHistoryRecord GetProfileRecommendations GetSegmentMembership GetSimilarProfiles
            ListCalculatedAttributesForProfile ListObjectTypeAttributeValues ListProfileAttributeValues
            ListProfileHistoryRecords ListProfileObjects ListRuleBasedMatches SearchProfiles
        datazone:GetLineageEvent
        dynamodb:GetItem BatchGetItem
        dynamodbstreams:GetRecords GetShardIterator
        ec2:GetConsoleScreenshot GetInstanceUefiData
        entityresolution:GetMatchId
        finspace-data:GetWorkingLocation
        frauddetector:GetEvent GetEventPrediction GetEventPredictionMetadata GetListElements ListEventPredictions
        glacier:GetJobOutput
        glue:GetEntityRecords GetStatement ListStatements
        iot:SearchIndex
        iot-managed-integrations:GetManagedThingState
        iotsitewise:BatchGetAssetPropertyAggregates BatchGetAssetPropertyValue BatchGetAssetPropertyValueHistory
            GetAssetPropertyAggregates GetAssetPropertyValue GetAssetPropertyValueHistory GetInterpolatedAssetPropertyValues
        iottwinmaker:GetPropertyValue GetPropertyValueHistory
        iotwireless:GetPosition GetPositionEstimate GetResourcePosition ListQueuedMessages
        kendra:GetQuerySuggestions
        keyspacesstreams:GetRecords GetShardIterator
        kinesis:GetRecords GetShardIterator
        lakeformation:GetWorkUnitResults
        lambda:GetDurableExecution GetDurableExecutionHistory GetDurableExecutionState
        lex-models:GetUtterancesView
        lexv2-models:ListAggregatedUtterances ListSessionAnalyticsData ListTestExecutionResultItems ListTestSetRecords
            ListUtteranceAnalyticsData SearchAssociatedTranscripts
        location:BatchGetDevicePosition GetDevicePosition GetDevicePositionHistory GetMapGlyphs GetMapSprites
            GetMapStyleDescriptor GetMapTile GetPlace ListDevicePositions SearchPlaceIndexForPosition
            SearchPlaceIndexForSuggestions SearchPlaceIndexForText
        logs:GetLookupTable ListAnomalies
        macie2:GetSensitiveDataOccurrences
        mailmanager:GetArchiveMessage GetArchiveMessageContent GetArchiveSearchResults GetMemberOfAddressList
            ListMembersOfAddressList
        mediaconnect:DescribeFlowSourceThumbnail GetRouterInputThumbnail
        medialive:DescribeInputDeviceThumbnail DescribeThumbnails
        mediastore-data:GetObject
        medical-imaging:GetImageFrame GetImageSetMetadata SearchImageSets
        mturk:GetAssignment ListAssignmentsForHIT
        neptune-graph:GetGraphSummary GetQuery ListQueries
        neptunedata:GetPropertygraphStream GetSparqlStream
        omics:GetReadSet GetReference
        pi:GetDimensionKeyDetails
        pinpoint:GetEndpoint GetInAppMessages GetUserEndpoints
        qapps:GetQAppSession ListQAppSessionData
        qbusiness:GetDocumentContent GetMedia ListAttachments ListConversations ListMessages SearchRelevantContent
        qconnect:GetNextMessage GetRecommendations GetSession ListMessages ListSpans SearchContent SearchSessions
        redshift-data:GetStatementResult GetStatementResultV2
        rekognition:GetCelebrityRecognition GetContentModeration GetFaceDetection GetFaceLivenessSessionResults GetFaceSearch
            GetLabelDetection GetPersonTracking GetSegmentDetection GetTextDetection ListDatasetEntries ListFaces SearchFaces
            SearchFacesByImage SearchUsers SearchUsersByImage
        rum:GetAppMonitorData
        s3:GetObject SelectObjectContent GetObjectTorrent
        s3vectors:GetVectors ListVectors
        sagemaker-geospatial:GetTile
        securityagent:GetArtifact
        sesv2:GetContact GetMessageInsights ListContacts
        sns:GetEndpointAttributes ListEndpointsByPlatformApplication
        ssm:GetCommandInvocation
        stepfunctions:DescribeExecution GetExecutionHistory
        support:DescribeAttachment
        swf:GetWorkflowExecutionHistory
        textract:GetDocumentAnalysis GetDocumentTextDetection GetExpenseAnalysis GetLendingAnalysis GetLendingAnalysisSummary
        waf:GetSampledRequests
        waf-regional:GetSampledRequests
        wafv2:GetSampledRequests
        wisdom:GetRecommendations SearchContent SearchSessions
        xray:BatchGetTraces GetTraceGraph GetTraceSummaries ListRetrievedTraces""",
    LOGS['not_read']['written']: """
        ec2:GetConsoleOutput
        lightsail:GetContainerLog GetRelationalDatabaseLogEvents
        logs:GetLogEvents GetLogObject GetLogRecord GetQueryResults
        rds:DownloadDBLogFilePortion""",
    'it returns source code or a program': """
        apigateway:GetSdk
        athena:GetCalculationExecutionCode
        cloudfront:GetConnectionFunction GetFunction
        codeartifact:GetPackageVersionAsset GetPackageVersionReadme
        codecommit:BatchDescribeMergeConflicts DescribeMergeConflicts GetBlob GetFile
        inspector2:BatchGetCodeSnippet
        schemas:GetCodeBindingSource
        tnb:GetSolFunctionPackageContent GetSolNetworkPackageContent""",
    'it may return user data with secrets': 'ec2:GetLaunchTemplateData',
    'its rows are texts of JSON in which secrets cannot be found; the service\'s own operations give the same': """
        cloudcontrol:GetResource ListResources""",
    'it returns an import token for key material': 'kms:GetParametersForImport',
    'it makes key material for an import or export': 'payment-cryptography:GetParametersForExport GetParametersForImport',
    'it serves a signed-in person and takes that person\'s token': """
        cognito-idp:GetDevice GetUser GetUserAttributeVerificationCode GetUserAuthFactors ListDevices ListWebAuthnCredentials
        workdocs:GetCurrentUser""",
    'it only serves to change something': """
        waf:GetChangeToken
        waf-regional:GetChangeToken""",
    'it makes an identity when there is none': 'cognito-identity:GetId',
    'it takes a task away from a worker': 'stepfunctions:GetActivityTask',
    'it reports statistics to the service': 'xray:GetSamplingTargets',
    'it writes a file into a bucket': 'socialmessaging:GetWhatsAppMessageMedia',
})

# Operations whose name or answer raises an alarm, and why they may be read all the same.
CLEARED = by_reason({
    'what it names it does not return, only when it was made and who may use it': """
        secretsmanager:DescribeSecret ListSecrets ListSecretVersionIds
        ssm:DescribeParameters
        apigateway:GetApiKey GetApiKeys
        appsync:ListApiKeys
        bedrock-agentcore-control:GetApiKeyCredentialProvider GetOauth2CredentialProvider GetPaymentCredentialProvider
            GetTokenVault ListApiKeyCredentialProviders ListOauth2CredentialProviders ListPaymentCredentialProviders
        chime-sdk-voice:ListVoiceConnectorTerminationCredentials
        codebuild:ListSourceCredentials
        codedeploy:ListGitHubAccountTokenNames
        ec2:DescribeIpamExternalResourceVerificationTokens
        grafana:ListWorkspaceServiceAccountTokens
        iam:GetAccessKeyLastUsed GetCredentialReport ListAccessKeys ListServiceSpecificCredentials GetAccountPasswordPolicy
        iot-managed-integrations:GetCredentialLocker ListCredentialLockers
        kafka:ListScramSecrets
        license-manager:ListTokens
        lightsail:GetBucketAccessKeys
        pca-connector-scep:GetChallengeMetadata ListChallengeMetadata
        route53globalresolver:GetAccessToken ListAccessTokens
        wafv2:GetDecryptedAPIKey ListAPIKeys
        workmail:GetPersonalAccessTokenMetadata ListPersonalAccessTokens""",
    'its document is configuration': """
        apigateway:GetExport
        appsync:GetIntrospectionSchema
        s3:GetBucketPolicy
        tnb:GetSolFunctionPackageDescriptor GetSolNetworkPackageDescriptor""",
    'it returns what is known of an object, not the object': """
        s3:GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectLockConfiguration GetObjectRetention GetObjectTagging
            HeadObject
        mediastore-data:DescribeObject ListItems""",
    'its URL is an address without a signature': """
        codecommit:GetRepository BatchGetRepositories
        pricing:GetPriceListFileUrl
        sqs:GetQueueUrl""",
    LOGS['read']['trail']: """
        auditmanager:GetChangeLogs
        cloudtrail:GetQueryResults LookupEvents
        drs:DescribeJobLogItems
        mgn:DescribeJobLogItems""",
    LOGS['read']['list']: """
        dms:DescribeReplicationInstanceTaskLogs
        ec2:DescribeFlowLogs""",
    'it looks up configuration': """
        clouddirectory:LookupPolicy
        cognito-identity:LookupDeveloperIdentity
        config:SelectAggregateResourceConfig SelectResourceConfig
        s3:HeadBucket""",
    'its name means something else': """
        iam:GenerateCredentialReport
        internetmonitor:GetQueryResults
        lakeformation:GetTableObjects
        managedblockchain-query:BatchGetTokenBalance GetTokenBalance ListTokenBalances
        mediaconvert:GetJobsQueryResults
        outposts:GetCatalogItem
        qapps:GetLibraryItem
        ssm:GetOpsItem
        sso-admin:DescribeTrustedTokenIssuer ListTrustedTokenIssuers
        sts:GetAccessKeyInfo
        waf:GetChangeTokenStatus
        waf-regional:GetChangeTokenStatus""",
})

# Members of answers that sound like a secret and are none; `outer.member` or
# `service:member` where the member's own name is not enough.
HARMLESS = {
    'a lock that the next change would have to repeat': """
        UpdateToken LockToken ListUpdateToken PolicyUpdateToken SourceUpdateToken ConditionalToken uploadSequenceToken""",
    'the caller\'s own name for a request or an object': """
        IdempotencyToken CreationToken lastClientRequestToken HooksRequestToken tokenNameList RegistrationTokenList
        PortfolioShareToken Tokens.TokenProperties""",
    'the number of an offer, an evaluation or an item': """
        PurchaseToken offerToken ResultToken LogAnomalyToken""",
    'a setting': """
        HttpTokens httpTokens HttpTokensEnforced ApiKeySelectionExpression
        tokenReference apiKeyHeader credentialProviderVendor credentialLocation credentialPrefix TokenDomains tokenStandard
        PlainText JapaneseTokenizationDictionary InstanceRoleCredentialsProvider webIdentityTokenAudiences
        PasswordButtonXpath PasswordFieldXpath TokenValidityUnits.AccessToken TokenValidityUnits.IdToken
        TokenValidityUnits.RefreshToken LambdaConfig.PreTokenGeneration credentialProvider CredentialProvider""",
    'where a secret is kept, not the secret': """
        apigateway:authorizerCredentials apigateway:credentials credentialsParameter registryCredential.credential
            RegistryCredential.Credential
        RepositoryCredentials.CredentialsParameter credentialSpecs SqlServerCredentials
        SecretArnList CdnIdentifierSecret SecretStringKey secretsRole PasswordParam
        DomainJoinServiceAccountSecret ProxyConfiguration.Credentials BasicAuthentication.Credentials
        RuntimeEnvironmentSecrets.* file.privateKey ServiceCredentialAlias CertificateSecret datasync:AccessKey""",
    'an address': """
        tokenUrl tokenUrls TokenEndpoint tokenEndpoint TokenProviderUrl ForgotPasswordLink
        tokenUrlParametersMap.* tokenUrlCustomProperties.*""",
    'a public part, or text to put into DNS': """
        tokenSigningPublicKeys.* publicKeyMaterial ValidationTokenHost
        VerificationToken DkimTokens DkimAttributes.Tokens TokenValue""",
}

# Members that hold a secret beside configuration. They become keyed digests before anything is written (RedactionRules).
SECRET_MEMBERS = set("""
    basicAuthCredentials ClientSecret DeviceToken VoipDeviceToken PreCoPassword codebuild:secret SecretToken authKey
    ApiKey SignedUrl PreSignedUrl PreSignedLogUrl Password password AuthToken ADDomainJoinPassword
    CrossRealmTrustPrincipalPassword KdcAdminPassword FsxAdminPassword SharedSecret HECToken grafanaToken MasterUserPassword
    masterUserPassword passphrase associatedTranscriptsPassword botLocaleExportPassword BillingToken registrationToken
    PreSharedKey ProcurementPortalSharedSecret CallbackToken taxDocumentAccessToken AccountPassword APIKey
    secretAccessKey accessToken refreshToken jwtToken userManagedClientApplicationClientSecret webhookUrl
    CustomerGatewayConfiguration SaslPassword SslClientKeyPassword AsmPassword AuthPassword amplifybackend:PrivateKey""".split())

# Members of requests that would bring secrets or data into the answer: they cannot be given.
LEFT_OUT = {
    'apigateway:GetApiKey': ['includeValue'],
    'apigateway:GetApiKeys': ['includeValues'],
    'ssm:ListCommandInvocations': ['Details'],
}
