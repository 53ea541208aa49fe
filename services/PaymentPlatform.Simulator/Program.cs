var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddSimulator();

var app = builder.Build();
app.UseProblemAnswers();
app.MapDefaultEndpoints();
app.MapSimulator();
app.Run();
