var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddIngest();

var app = builder.Build();
app.UseProblemAnswers();
app.UseAccess();
app.MapDefaultEndpoints();
app.MapIngest();
return app.RunService();
